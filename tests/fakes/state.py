"""Working memory in memory."""

from collections.abc import Iterator
from datetime import datetime

from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.domain.purge import Removed
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import Session, State, StateChange, StateKey, VersionMismatch
from agent_memory.domain.usage import Tally
from tests.fakes.bodies import check_room, owner_name
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.paging import paged


class InMemoryStateStore:
    """`StateStore`; a record takes as many bytes as its JSON has."""

    def __init__(self, idempotency: InMemoryIdempotencyStore, tally: Tally | None = None) -> None:
        self._idempotency = idempotency
        self._tally = tally or Tally()
        self._states: dict[StateKey, State] = {}

    def owner(self, key: StateKey) -> str:
        return owner_name(key.tenant_id, key.agent_id, key.session_id)

    def get(self, key: StateKey, now: datetime) -> State | None:
        state = self._states.get(key)
        return state if state and state.is_live(now) else None

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        with self._idempotency.lock:
            now = state.updated_at
            current = self.get(state.key, now)
            fits = state.version == (current.version + 1 if current else 1)
            check_room(state)
            self._tally.need("dynamo_bytes", _size(state))
            self._commit(answer, now, None if fits else VersionMismatch(current))
            self._keep(state)

    def update(self, change: StateChange) -> State:
        with self._idempotency.lock:
            current = self.get(change.key, change.updated_at)
            if current is None or current.version != change.version - 1:
                raise VersionMismatch(current)
            check_room(change.applied_to(current))
            self._tally.need("dynamo_bytes", _size(change.applied_to(current)))
            self._keep(change.applied_to(current))
            return self._states[change.key]

    def delete(self, key: StateKey, now: datetime, answer: IdempotencyRecord | None) -> bool:
        with self._idempotency.lock:
            absent = VersionMismatch(None) if self.get(key, now) is None else None
            try:
                self._commit(answer, now, absent)
            except VersionMismatch:
                return False
            self._tally.dynamo_bytes -= _size(self._states.pop(key))
            return True

    def remove_expired(self, key: StateKey, now: datetime) -> bool:
        with self._idempotency.lock:
            state = self._states.get(key)
            if state is None or state.is_live(now):
                return False
            self._tally.dynamo_bytes -= _size(self._states.pop(key))
            return True

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Session | None]]:
        own = (key for key in list(self._states) if (key.tenant_id, key.agent_id) == (tenant_id, agent_id))
        names = sorted(key.session_id for key in own if after is None or key.session_id > after)
        for name in paged(names, budget):
            live = self.get(StateKey(tenant_id, agent_id, name), now)
            yield name, Session(name, live.updated_at) if live else None

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for key in [key for key in self._states if (key.tenant_id, key.agent_id) == (tenant_id, agent_id)]:
            yield Removed({"state": 1}, dynamo_bytes=_size(self._states.pop(key)))

    def _keep(self, state: State) -> None:
        before = self._states.get(state.key)
        self._states[state.key] = state
        change = _size(state) - (_size(before) if before else 0)
        self._tally.stored(state.key.agent_id, state.key.session_id, change)

    def _commit(self, answer: IdempotencyRecord | None, now: datetime, refusal: VersionMismatch | None) -> None:
        """The used key is reported before the version: a repetition must hear its first answer."""
        if answer is not None:
            self._idempotency.check(answer, now)
        if refusal is not None:
            raise refusal
        if answer is not None:
            self._idempotency.put(answer, now)


def _size(state: State) -> int:
    return len(dumps(state.response()))
