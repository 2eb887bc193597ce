"""Working memory in memory."""

from collections.abc import Iterator
from datetime import datetime

from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import State, StateChange, StateKey, VersionMismatch
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.paging import paged


class InMemoryStateStore:
    """`StateStore`."""

    def __init__(self, idempotency: InMemoryIdempotencyStore) -> None:
        self._idempotency = idempotency
        self._states: dict[StateKey, State] = {}

    def get(self, key: StateKey, now: datetime) -> State | None:
        state = self._states.get(key)
        return state if state and state.is_live(now) else None

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        with self._idempotency.lock:
            now = state.updated_at
            current = self.get(state.key, now)
            fits = state.version == (current.version + 1 if current else 1)
            self._commit(answer, now, None if fits else VersionMismatch(current))
            self._states[state.key] = state

    def update(self, change: StateChange) -> State:
        with self._idempotency.lock:
            current = self.get(change.key, change.updated_at)
            if current is None or current.version != change.version - 1:
                raise VersionMismatch(current)
            self._states[change.key] = change.applied_to(current)
            return self._states[change.key]

    def delete(self, key: StateKey, now: datetime, answer: IdempotencyRecord | None) -> bool:
        with self._idempotency.lock:
            absent = VersionMismatch(None) if self.get(key, now) is None else None
            try:
                self._commit(answer, now, absent)
            except VersionMismatch:
                return False
            del self._states[key]
            return True

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, str | None]]:
        own = (key for key in list(self._states) if (key.tenant_id, key.agent_id) == (tenant_id, agent_id))
        names = sorted(key.session_id for key in own if after is None or key.session_id > after)
        for name in paged(names, budget):
            live = self.get(StateKey(tenant_id, agent_id, name), now)
            yield name, name if live else None

    def _commit(self, answer: IdempotencyRecord | None, now: datetime, refusal: VersionMismatch | None) -> None:
        """The used key is reported before the version: a repetition must hear its first answer."""
        if answer is not None:
            self._idempotency.check(answer, now)
        if refusal is not None:
            raise refusal
        if answer is not None:
            self._idempotency.put(answer, now)
