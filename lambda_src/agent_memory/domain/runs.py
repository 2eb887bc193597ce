"""Agent runs: numbered steps, each with its state and status, written by one agent or by several."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, Field

from agent_memory.domain.fields import Body, Id, JsonObject, Limit, Time, Write
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.scan import ScanBudget

RunStatus = Literal["running", "waiting", "done", "failed"]
MAX_STEP = 999_999_999


class NewStep(Write):
    """Body of PUT /v1/runs/{run_id}/steps/{step}: `status` is what the run is in once this step is its highest."""

    agent_id: Id
    session_id: Id | None = None
    state: Any
    status: RunStatus


class RunQuery(Body):
    """Query of GET /v1/runs/{run_id}."""

    limit: Limit = 50
    cursor: str | None = None


class RunsQuery(Body):
    """Query of GET /v1/runs."""

    agent_id: Id
    status: RunStatus | None = None
    limit: Limit = 50
    cursor: str | None = None


class StepResponse(BaseModel):
    """One step as it was written last."""

    run_id: str
    step: Annotated[int, Field(ge=0, le=MAX_STEP)]
    agent_id: str
    session_id: str | None
    state: Any
    status: RunStatus
    updated_at: Time
    expires_at: Time | None


class RunSummary(BaseModel):
    """A run by its highest step: which one it is, who wrote it, when, and in which status it left the run."""

    run_id: str
    status: RunStatus
    step: int
    agent_id: str
    updated_at: Time


class RunResponse(RunSummary):
    """A run with some of its steps, in their order."""

    steps: list[StepResponse]
    next_cursor: str | None


class RunsResponse(BaseModel):
    """Runs of an agent, in the order of their keys: the one that writing steps cannot disturb during a walk."""

    runs: list[RunSummary]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RunKey:
    """Names one run."""

    tenant_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `annotations` are the optional descriptive fields of the write."""

    run: RunKey
    number: int
    agent_id: str
    session_id: str | None
    state: Any
    status: RunStatus
    updated_at: datetime
    expires_at: datetime | None
    annotations: JsonObject

    def is_live(self, now: datetime) -> bool:
        """Expired is the same as absent, whether or not the store has swept it."""
        return self.expires_at is None or self.expires_at > now

    def response(self) -> JsonObject:
        """`StepResponse`, then the annotations."""
        return {
            "run_id": self.run.run_id,
            "step": self.number,
            "agent_id": self.agent_id,
            "session_id": self.session_id,
            "state": self.state,
            "status": self.status,
            "updated_at": self.updated_at,
            "expires_at": self.expires_at,
            **self.annotations,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """What the highest step says of its run; it lives as long as that step."""

    key: RunKey
    number: int
    agent_id: str
    status: RunStatus
    updated_at: datetime
    expires_at: datetime | None

    @classmethod
    def at(cls, step: Step) -> "Run":
        """The run whose highest step this is."""
        return cls(step.run, step.number, step.agent_id, step.status, step.updated_at, step.expires_at)

    def is_live(self, now: datetime) -> bool:
        """Whether its highest step is."""
        return self.expires_at is None or self.expires_at > now

    def response(self) -> JsonObject:
        """`RunSummary`."""
        return {
            "run_id": self.key.run_id,
            "status": self.status,
            "step": self.number,
            "agent_id": self.agent_id,
            "updated_at": self.updated_at,
        }


class RunStore(Protocol):
    """Steps by (tenant, run, number), and the runs of an agent; a read sees every earlier write.

    Every method raises StoreUnavailable when the store does not answer.
    """

    def put(self, step: Step, answer: IdempotencyRecord | None) -> None:
        """Write a step, over whatever stands there, together with what it says of its run.

        Raises:
            RateLimited: the tenant may not store so much; nothing was written.
            PayloadTooLarge: the step is too large; nothing was written.
            Conflict: other writers got through too often.
            AlreadyAnswered: the idempotency key has been used; nothing was written.
        """

    def top(self, key: RunKey, now: datetime) -> Run | None:
        """The run by its highest live step; None when it has none."""

    def steps(
        self, key: RunKey, after: int | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[int, Step | None]]:
        """Yield (number, step or None for an expired one) in the order of numbers.

        Raises:
            ScanBudgetSpent: more remain.
        """

    def runs(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Run | None]]:
        """Yield (position, run or None for one without live steps) of runs that the agent wrote a step of.

        Raises:
            ScanBudgetSpent: more remain.
        """
