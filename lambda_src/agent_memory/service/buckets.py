"""Spreading a busy agent over more partitions."""

from collections.abc import Callable
from datetime import datetime

from agent_memory.domain.buckets import Buckets
from agent_memory.domain.identifiers import TENANT_ID, check_id
from agent_memory.domain.ports import BucketStore
from agent_memory.errors import Conflict, InvalidRequest


class AgentBuckets:
    """The operator's use case; writes and reads follow the plan by themselves."""

    def __init__(self, store: BucketStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def grow(self, tenant_id: str, agent_id: str, count: int) -> Buckets:
        """Plan more buckets; they come into use a minute from now.

        Raises:
            InvalidRequest: a malformed id, or not more than before.
            Conflict: somebody else changed the plan.
        """
        if not TENANT_ID.fullmatch(tenant_id):
            raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
        try:
            check_id(agent_id)
        except ValueError as exc:
            raise InvalidRequest.of("agent_id", str(exc)) from None
        old = self._store.get(tenant_id, agent_id)
        try:
            new = old.grown(count, self._clock())
        except ValueError as exc:
            raise InvalidRequest.of("buckets", str(exc)) from None
        if not self._store.grow(tenant_id, agent_id, old, new):
            raise Conflict("the agent's buckets were changed by somebody else")
        return new
