"""Purge: everything of one agent out of every store, or an error that says to come again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.ports import AgentStore, IdempotencyStore
from agent_memory.domain.purge import Deleted, Kind, PurgeResponse, Removed
from agent_memory.domain.usage import Tally
from agent_memory.errors import AgentMemoryError, StoreUnavailable

# The function is stopped after 29 s; between this and that lies what one last call may take.
_SECONDS = 15.0
# The last round finds nothing, unless somebody keeps writing: what they write meanwhile is for another purge.
_ROUNDS = 5


class AgentRows(Protocol):
    """One kind of record in the database, of which an agent's part can be removed."""

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """Remove some of it: how many, and 0 when none is left."""


class Purge:
    """DELETE /v1/memory/{agent_id}."""

    def __init__(
        self,
        rows: Mapping[Kind, AgentRows],
        stores: Sequence[AgentStore],
        idempotency: IdempotencyStore,
        tally: Tally,
        clock: Callable[[], datetime],
        first: Sequence[AgentStore] = (),
    ) -> None:
        self._rows = rows
        self._first = first
        self._stores = stores
        self._idempotency = idempotency
        self._tally = tally
        self._clock = clock

    def run(self, tenant_id: str, agent_id: str, attempt: Attempt) -> PurgeResponse:
        """Remove all that was acknowledged before, and look again until nothing is found.

        Raises:
            StoreUnavailable: a store failed, or time was up. What is gone stays gone, and a repetition goes on.
            AlreadyAnswered: the idempotency key has been used.
        """
        if attempt.record is None:
            return self._purge(tenant_id, agent_id)
        record = self._idempotency.claim(attempt.record, self._clock())
        try:
            purged = self._purge(tenant_id, agent_id)
        except AgentMemoryError:
            self._idempotency.release(record, self._clock())
            raise
        answer = Attempt(record).answered(200, purged.model_dump())
        assert answer is not None  # noqa: S101 - the attempt has a record
        self._idempotency.finish(answer)
        return purged

    def _purge(self, tenant_id: str, agent_id: str) -> PurgeResponse:
        deadline = time.monotonic() + _SECONDS
        removed: Counter[str] = Counter()
        for part in self._rounds(tenant_id, agent_id):
            removed.update(part.counts)
            self._deduct(part)
            if time.monotonic() > deadline:
                deleted = Deleted(**removed).model_dump()
                raise StoreUnavailable("the agent has more than one request can remove", details={"deleted": deleted})
        return PurgeResponse(agent_id=agent_id, deleted=Deleted(**removed))

    def _rounds(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for _ in range(_ROUNDS):
            found = False
            for part in self._round(tenant_id, agent_id):
                found = True
                yield part
            if not found:
                return

    def _round(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        # What is still going to be written: after this nobody does it any more.
        for store in self._first:
            yield from store.purge(tenant_id, agent_id)
        # The database next: it is the likeliest to be away, and then nothing else has been touched.
        for kind, rows in self._rows.items():
            while count := rows.purge(tenant_id, agent_id):
                yield Removed({kind: count})
        for store in self._stores:
            yield from store.purge(tenant_id, agent_id)

    def _deduct(self, part: Removed) -> None:
        self._tally.agents -= part.counts.get("agents", 0)
        self._tally.sessions -= part.counts.get("sessions", 0)
        self._tally.dynamo_bytes -= part.dynamo_bytes
        self._tally.s3_bytes -= part.s3_bytes
