"""The tool-call ledger: who may run a tool call now, and what came of it. Each call completes once.

A call is claimed for a lease. It ends in a result, for good, or in an error, after which it may be claimed again, as it
may once a lease has run out. What is here decides; a store writes a record over exactly the one that was judged.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, Field, model_validator

from agent_memory.domain.fields import Id, JsonObject, Time, Write
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.errors import Conflict, InProgress, InvalidRequest, NotFound

CallStatus = Literal["claimed", "done", "failed"]
MAX_LEASE_S = 3600


class NewClaim(Write):
    """Body of POST /v1/runs/{run_id}/tools/{call_id}."""

    agent_id: Id
    session_id: Id | None = None
    tool: Id
    arguments_hash: Id
    lease_s: Annotated[int, Field(ge=1, le=MAX_LEASE_S)]


class OutcomeOfClaim(Write):
    """What may be said beside an outcome: of which claim it is, without a word of the current one."""

    claim_id: Id | None = None


class Completion(OutcomeOfClaim):
    """Body of PUT /v1/runs/{run_id}/tools/{call_id}: a result or an error, either of them any JSON."""

    result: Any = None
    error: Any = None

    @model_validator(mode="after")
    def _one_outcome(self) -> "Completion":
        if len({"result", "error"} & self.model_fields_set) != 1:
            msg = "must hold result or error, and not both"
            raise ValueError(msg)
        return self

    @property
    def status(self) -> CallStatus:
        """What the call is in afterwards."""
        return "failed" if "error" in self.model_fields_set else "done"

    @property
    def outcome(self) -> Any:
        """The result or the error."""
        return self.error if self.status == "failed" else self.result


class ToolCallResponse(BaseModel):
    """A call: `claim_id` and `lease_until` are the current claim's, or the last one's."""

    run_id: str
    call_id: str
    agent_id: str
    session_id: str | None
    tool: str
    arguments_hash: str
    status: CallStatus
    attempt: int
    claim_id: str
    claimed_at: Time
    lease_until: Time
    completed_at: Time | None
    result: Any
    error: Any
    expires_at: Time | None


@dataclass(frozen=True, slots=True)
class CallKey:
    """Names one call."""

    tenant_id: str
    run_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A claim of a call and, once `status` is another than claimed, its outcome: the result or the error."""

    key: CallKey
    agent_id: str
    session_id: str | None
    tool: str
    arguments_hash: str
    status: CallStatus
    attempt: int
    claim_id: str
    claimed_at: datetime
    lease_until: datetime
    completed_at: datetime | None
    outcome: Any
    expires_at: datetime | None
    annotations: JsonObject

    def is_live(self, now: datetime) -> bool:
        """Expired is the same as absent: the call may then be made anew."""
        return self.expires_at is None or self.expires_at > now

    def response(self) -> JsonObject:
        """`ToolCallResponse`, then the annotations."""
        return {
            "run_id": self.key.run_id,
            "call_id": self.key.call_id,
            "agent_id": self.agent_id,
            "session_id": self.session_id,
            "tool": self.tool,
            "arguments_hash": self.arguments_hash,
            "status": self.status,
            "attempt": self.attempt,
            "claim_id": self.claim_id,
            "claimed_at": self.claimed_at,
            "lease_until": self.lease_until,
            "completed_at": self.completed_at,
            **self.recorded(),
            "expires_at": self.expires_at,
            **self.annotations,
        }

    def recorded(self) -> JsonObject:
        """The outcome, by name."""
        failed = self.status == "failed"
        return {"result": None if failed else self.outcome, "error": self.outcome if failed else None}


def claimed(current: ToolCall | None, key: CallKey, new: NewClaim, now: datetime, claim_id: str) -> ToolCall:
    """The call under a new claim, or `current` itself when it has ended in a result.

    Raises:
        InvalidRequest: the record would expire before its lease.
        Conflict: the call was claimed for another tool or other arguments.
        InProgress: somebody's lease runs.
    """
    if current is not None:
        _check_same(current, new)
        if current.status == "done":
            return current
        if current.status == "claimed" and current.lease_until > now:
            left_s = math.ceil((current.lease_until - now).total_seconds())
            told = {"attempt": current.attempt, "lease_until": current.lease_until}
            raise InProgress("the call is claimed", details=told, retry_after_s=left_s)
    lease_until, expires_at = now + timedelta(seconds=new.lease_s), new.expiry(now)
    if expires_at is not None and expires_at < lease_until:
        raise InvalidRequest.of("expires_at" if new.expires_at else "ttl_hours", "must not end before the lease")
    return ToolCall(
        key=key,
        agent_id=new.agent_id,
        session_id=new.session_id,
        tool=new.tool,
        arguments_hash=new.arguments_hash,
        status="claimed",
        attempt=current.attempt + 1 if current else 1,
        claim_id=claim_id,
        claimed_at=now,
        lease_until=lease_until,
        completed_at=None,
        outcome=None,
        expires_at=expires_at,
        annotations=new.annotations(),
    )


def completed(current: ToolCall | None, new: Completion, now: datetime) -> ToolCall:
    """The call with its outcome, or `current` itself when that is what it has ended in already.

    A lease that ran out is no obstacle while nobody else has claimed the call.

    Raises:
        InvalidRequest: an expiry that has passed.
        NotFound: nobody claimed the call.
        Conflict: another claim than the current one, or another outcome than the recorded one; `details` has it.
    """
    if current is None:
        raise NotFound("no such tool call")
    if new.claim_id not in (None, current.claim_id):
        told = {"attempt": current.attempt, "status": current.status}
        raise Conflict("claim_id: another claim has taken its place", details=told)
    if current.status != "claimed":
        if (new.status, dumps(new.outcome)) != (current.status, dumps(current.outcome)):
            recorded = {"status": current.status, "attempt": current.attempt, **current.recorded()}
            raise Conflict("the call has ended in another outcome", details=recorded)
        return current
    return replace(
        current,
        status=new.status,
        completed_at=now,
        outcome=new.outcome,
        expires_at=new.expiry(now) or current.expires_at,
        annotations={**current.annotations, **new.annotations()},
    )


def _check_same(current: ToolCall, new: NewClaim) -> None:
    differing = [name for name in ("tool", "arguments_hash") if getattr(current, name) != getattr(new, name)]
    if differing:
        raise Conflict(f"the call was claimed with another {' and '.join(differing)}", details={"fields": differing})


class CallChanged(Exception):
    """Another record stands there than the writer judged; `current` is None where nothing does."""

    def __init__(self, current: ToolCall | None) -> None:
        super().__init__("another record is stored")
        self.current = current


class ToolLedger(Protocol):
    """One record for each (tenant, run, call); both methods raise StoreUnavailable when the store does not answer."""

    def get(self, key: CallKey) -> ToolCall | None:
        """Read a record, expired or not; it sees every earlier write."""

    def put(self, call: ToolCall, over: ToolCall | None, answer: IdempotencyRecord | None) -> None:
        """Write a record over exactly `over`, or with None where nothing stands.

        Raises:
            CallChanged: something else stands there; nothing was written.
            RateLimited: the tenant may not store so much; nothing was written.
            PayloadTooLarge: the record is too large; nothing was written.
            AlreadyAnswered: the idempotency key has been used; nothing was written.
        """
