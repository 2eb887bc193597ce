"""The tool-call ledger: claim a call, and record what came of it."""

from collections.abc import Callable
from datetime import datetime

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.identifiers import new_ulid
from agent_memory.domain.ports import IdempotencyStore
from agent_memory.domain.state import StateKey
from agent_memory.domain.tool_calls import (
    CallChanged,
    CallKey,
    Completion,
    NewClaim,
    ToolCall,
    ToolLedger,
    claimed,
    completed,
)
from agent_memory.errors import Conflict
from agent_memory.service.subjects import Subjects

# Each round is lost only when another writer of the same record got through.
_ROUNDS = 30


class ToolCalls:
    """The routes of tool calls."""

    def __init__(
        self, ledger: ToolLedger, subjects: Subjects, idempotency: IdempotencyStore, clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._subjects = subjects
        self._idempotency = idempotency
        self._clock = clock

    def claim(self, key: CallKey, new: NewClaim, attempt: Attempt) -> tuple[ToolCall, bool]:
        """The call, and whether it is the caller's now: if not, it has ended in the result that it holds.

        Raises:
            Conflict: it was claimed for another tool or other arguments, or the session belongs to another user.
            InProgress: somebody's lease runs.
        """
        now = self._clock()
        if new.session_id is not None:
            self._subjects.check(StateKey(key.tenant_id, new.agent_id, new.session_id), new.user_id)
        # Most who race for a call lose: they read. With a key writing comes first, for only that tells of a first
        # answer, and what the first attempt claimed is not to be taken for somebody else's.
        found = self._ledger.get(key) if attempt.record is None else None
        for _ in range(_ROUNDS):
            current = found if found and found.is_live(now) else None
            call = claimed(current, key, new, now, new_ulid(now))
            if call is current:
                self._keep(attempt, call, now)
                return call, False
            try:
                self._ledger.put(call, found, attempt.answered(201, call.response()))
            except CallChanged as exc:
                found = exc.current
            else:
                return call, True
        raise Conflict("too many writers at once")

    def complete(self, key: CallKey, new: Completion, attempt: Attempt) -> ToolCall:
        """Record the outcome of the current claim; the same outcome again changes nothing.

        Raises:
            NotFound: nobody claimed the call.
            Conflict: the claim is not the current one, or another outcome is recorded.
        """
        now = self._clock()
        for _ in range(_ROUNDS):
            found = self._ledger.get(key)
            current = found if found and found.is_live(now) else None
            call = completed(current, new, now)
            if call is current:
                self._keep(attempt, call, now)
                return call
            try:
                self._ledger.put(call, found, attempt.answered(200, call.response()))
            except CallChanged:
                continue
            return call
        raise Conflict("too many writers at once")

    def _keep(self, attempt: Attempt, call: ToolCall, now: datetime) -> None:
        """Nothing was written that the answer could be kept with."""
        answer = attempt.answered(200, call.response())
        if answer is not None:
            self._idempotency.put(answer, now)
