"""Working memory: versioned session state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from agent_memory.domain.bodies import bodies_of
from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.fields import JsonObject, Write
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import dumps
from agent_memory.domain.ports import StateStore
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.domain.state import (
    NewState,
    Session,
    State,
    StateChange,
    StateKey,
    StatePatch,
    StateReplacement,
    VersionMismatch,
    merge_patch,
)
from agent_memory.errors import BodyMissing, Conflict, NotFound, PayloadTooLarge
from agent_memory.service.large_values import LargeValues, Placing
from agent_memory.service.paging import Page, PageBudget, fill_page
from agent_memory.service.subjects import Subjects

# Each round is lost only when another writer of the same record got through.
_ROUNDS = 30
MAX_STATE_BYTES = 2_500_000


class WorkingMemory:
    """The state routes."""

    def __init__(
        self, store: StateStore, subjects: Subjects, values: LargeValues, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._values = values
        self._clock = clock

    def create(self, tenant_id: str, new: NewState, attempt: Attempt, cursor_key: bytes) -> State:
        """Write over whatever lives there: version 1 in an empty place, the next version elsewhere.

        Raises:
            NotFound: there is no such upload.
            Conflict: the session belongs to another user, other writers got through too often, or the upload is not
                what was announced.
        """
        now = self._clock()
        key = StateKey(tenant_id, new.agent_id, new.session_id)
        upload_id = new.uploaded("data")
        state = State(key, new.data, 1, now, now, new.expiry(now), new.annotations())
        self._subjects.check(key, new.user_id)
        with self._placing(key, upload_id, cursor_key) as placing:
            for _ in range(_ROUNDS):
                try:
                    return placing.commit(state, lambda written: self._put(written, attempt, 201))
                except VersionMismatch as exc:
                    found = exc.current
                    version, created = (found.version + 1, found.created_at) if found else (1, now)
                    state = replace(state, version=version, created_at=created)
            raise Conflict("too many writers at once")

    def get(self, key: StateKey) -> State:
        """Read.

        Raises:
            NotFound: nothing lives there.
        """
        state = self._seen(key, self._values.opened)
        if state is None:
            raise NotFound("no state for this agent and session")
        return state

    def replace(
        self, tenant_id: str, agent_id: str, new: StateReplacement, attempt: Attempt, cursor_key: bytes
    ) -> State:
        """Write over the version that the caller has read.

        Raises:
            NotFound: nothing lives there, or there is no such upload.
            Conflict: another version does (`details` has it), or the upload is not what was announced.
        """
        key = StateKey(tenant_id, agent_id, new.session_id)
        upload_id = new.uploaded("data")
        change = self._change(key, new, new.data, new.version + 1)
        with _refusing_others(), self._placing(key, upload_id, cursor_key) as placing:
            if attempt.record is None and new.user_id is None:
                return placing.commit(change, self._store.update)
            # What the answer says has to be known before it is committed with the write; and a session must not
            # be bound to a user by a write that has nothing to write over.
            current = self._expected(self._store.get(key, self._clock()), new.version)
            self._subjects.check(key, new.user_id)
            return placing.commit(change.applied_to(current), lambda written: self._put(written, attempt, 200))

    def patch(self, tenant_id: str, agent_id: str, new: StatePatch, attempt: Attempt) -> State:
        """Merge into the live version; without a version of the caller's, again until no other writer is between.

        Raises:
            NotFound: nothing lives there.
            Conflict: another version lives there, or what was uploaded; or other writers got through too often.
        """
        key = StateKey(tenant_id, agent_id, new.session_id)
        for _ in range(_ROUNDS):
            current = self._expected(self._seen(key, self._patchable), new.version)
            self._subjects.check(key, new.user_id)
            data = merge_patch(current.data, new.data)
            assert isinstance(data, dict)  # noqa: S101 - an object patched by an object is an object
            _check_bytes(data)
            merged = self._change(key, new, data, current.version + 1).applied_to(current)
            try:
                with self._values.placing(lambda: self._folder(key)) as placing:
                    return placing.commit(merged, lambda written: self._put(written, attempt, 200))
            except VersionMismatch as exc:
                if new.version is not None:
                    raise _refusal(exc.current) from exc
        raise Conflict("too many writers at once")

    def delete(self, key: StateKey, attempt: Attempt) -> None:
        """Remove.

        Raises:
            NotFound: nothing lives there.
        """
        if not self._store.delete(key, self._clock(), attempt.answered(204, None)):
            raise NotFound("no state for this agent and session")

    def sessions(
        self, tenant_id: str, agent_id: str, limit: int, cursor: str | None, cursor_key: bytes
    ) -> tuple[Page[str], str | None]:
        """List live sessions in the order of their keys: (page, next cursor)."""
        walk = dumps(["sessions", tenant_id, agent_id])
        after = str(unseal(cursor_key, walk, cursor)[0]) if cursor is not None else None
        budget = PageBudget()
        stream = self._store.sessions(tenant_id, agent_id, after, self._clock(), budget)
        page = fill_page(stream, budget, limit, lambda _: True, lambda session: session.session_id)
        position = page.resume_after or (after if page.partial else None)
        return page, seal(cursor_key, walk, [position]) if position else None

    def latest(self, tenant_id: str, agent_id: str) -> tuple[State | None, bool]:
        """The live state that was written last; and whether the budget was spent before every session was seen."""
        sessions: list[Session] = []
        partial = False
        budget, now = PageBudget(), self._clock()
        try:
            for _, session in self._store.sessions(tenant_id, agent_id, None, now, budget):
                sessions += [session] if session else []
        except ScanBudgetSpent:
            partial = True
        for session in sorted(sessions, key=lambda each: each.updated_at, reverse=True):
            # One that was deleted since then makes way for the one before it.
            if state := self._seen(StateKey(tenant_id, agent_id, session.session_id), self._values.opened):
                return state, partial
        return None, partial

    def _seen(self, key: StateKey, look: Callable[[State], State]) -> State | None:
        """The live record as `look` gives it: read again when its value went while another one took its place."""
        for is_last in (False, False, True):
            state = self._store.get(key, self._clock())
            try:
                return None if state is None else look(state)
            except BodyMissing:
                if is_last:
                    raise
        return None

    def _patchable(self, state: State) -> State:
        if state.body is not None and state.body.is_opaque:
            raise Conflict("this state was uploaded as it is and cannot be patched; replace it")
        return self._values.loaded(state)

    def _folder(self, key: StateKey) -> str:
        return bodies_of(key.tenant_id, key.agent_id, "state", self._store.owner(key))

    @contextmanager
    def _placing(self, key: StateKey, upload_id: str | None, cursor_key: bytes) -> Iterator[Placing]:
        kept = None
        if upload_id is not None:
            kept = self._values.adopt(self._folder(key), key.tenant_id, upload_id, cursor_key)
        with self._values.placing(lambda: self._folder(key), kept) as placing:
            yield placing

    @staticmethod
    def _expected(current: State | None, version: int | None) -> State:
        if current is None or version not in (None, current.version):
            raise _refusal(current)
        return current

    def _change(self, key: StateKey, new: Write, data: JsonObject, version: int) -> StateChange:
        now = self._clock()
        return StateChange(key, data, version, now, new.expiry(now), new.annotations())

    def _put(self, state: State, attempt: Attempt, status: int) -> State:
        self._store.put(state, attempt.answered(status, state.response(), state.body))
        return state


@contextmanager
def _refusing_others() -> Iterator[None]:
    try:
        yield
    except VersionMismatch as exc:
        raise _refusal(exc.current) from exc


def _check_bytes(data: JsonObject) -> None:
    """Patches add up, and what compresses well would fit the store and no answer any more."""
    size = len(dumps(data).encode())
    if size > MAX_STATE_BYTES:
        raise PayloadTooLarge(
            f"the patched state has {size} bytes; at most {MAX_STATE_BYTES} are kept",
            details={"bytes": size, "limit": MAX_STATE_BYTES},
        )


def _refusal(current: State | None) -> Conflict | NotFound:
    if current is None:
        return NotFound("no state for this agent and session")
    return Conflict("another version is stored", details={"current_version": current.version})
