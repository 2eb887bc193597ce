"""Usage of a tenant: counters that are added to where the work happens, and never found out by reading records.

What each counter means:

- `api_calls:<month>`: requests that carried a good API key, refused ones and repetitions of earlier ones included, but
  not those that were one too many. Counted before they are served, some at a time under load: never below what was
  served, and above it by what a warm function has not served yet. Readiness counts for nobody.
- `embeddings:<month>`: texts that the embedding model was called for; what a cache answered is not among them. A text
  that is pending counts when its vectors are made. While a deployment changes its model the calls of the other one
  count for nobody.
- `agents`, `sessions`: distinct agents, and distinct sessions of an agent, that anything was ever stored for, until
  the agent is purged. A session stays counted when its state is deleted or expires.
- `dynamo_bytes`: names and values of the states, episodes, steps and tool calls in DynamoDB, as they are stored. What
  expires, or has moved to the archive, stays counted until DynamoDB removes it, which it does within some days.
- `s3_bytes`: objects in the archive, all versions, and large values. What was uploaded counts from when a record takes
  it; until then it is gone within two days.
- `vectors`: pieces of stored texts, from when the text is stored: those whose vectors are pending too, and each once
  however many models it has vectors of. What expires stays counted until the tenant's next writes remove it.

Where the tenant has a limit, work is counted before it is done, and what came out smaller is given back. A counter may
be off by what a crash kept from being passed on, and by a call whose answer was lost on the way.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel

from agent_memory.domain.limits import Limits, of_month


class Storage(BaseModel):
    """Bytes by store."""

    dynamo_bytes: int
    s3_bytes: int


class LimitsResponse(BaseModel):
    """What the tenant may use; null is no limit."""

    requests_per_second: int | None
    requests_per_month: int | None
    embeddings_per_month: int | None
    stored_bytes: int | None
    vectors: int | None
    retention_days: int | None


class UsageResponse(BaseModel):
    """A tenant's usage in the current month, what it has stored, and its limits."""

    api_calls_month: int
    embeddings_generated_month: int
    storage: Storage
    agents_count: int
    sessions_count: int
    vectors_count: int
    billing_period: str
    limits: LimitsResponse


Work = Literal["embeddings", "dynamo_bytes", "s3_bytes", "vectors"]
"""Work that a tenant may have a limit of."""


class Quota(Protocol):
    """What the tenant of the request under way may do."""

    def reserve(self, work: Work, amount: int) -> int:
        """Count the work before it is done; 0 when there is no limit, so that it is counted afterwards.

        Raises:
            RateLimited: there is no room for it; nothing was counted.
        """


@dataclass(slots=True)
class Tally:
    """What the request under way has done so far, told by those who did it, in the request's own thread."""

    embeddings: int = 0
    agents: int = 0
    sessions: int = 0
    dynamo_bytes: int = 0
    s3_bytes: int = 0
    vectors: int = 0
    touched: dict[tuple[str, str | None], None] = field(default_factory=dict)
    reserved: dict[Work, int] = field(default_factory=dict)
    began_at: datetime | None = None
    quota: Quota | None = field(default=None, compare=False)

    def begin(self, quota: Quota, now: datetime) -> None:
        """Another request, of a tenant that may do so much; whatever the one before left behind is not its."""
        self.taken()
        self.quota, self.began_at = quota, now

    def need(self, work: Work, amount: int) -> None:
        """Ask for so much work on top of what was done already, before it is done.

        Raises:
            RateLimited: the tenant may not do it.
        """
        done: int = getattr(self, work)
        missing = done + amount - self.reserved.get(work, 0)
        if self.quota is not None and missing > 0:
            self.reserved[work] = self.reserved.get(work, 0) + self.quota.reserve(work, missing)

    def stored(self, agent_id: str, session_id: str | None, dynamo_bytes: int = 0) -> None:
        """Something was stored for the agent, maybe in a session; what it took the place of is deducted already."""
        self.touched[agent_id, session_id] = None
        self.dynamo_bytes += dynamo_bytes

    def taken(self) -> "Tally":
        """Hand over what there is and begin anew."""
        done = replace(self)
        for name, empty in asdict(Tally()).items():
            setattr(self, name, empty)
        return done

    def counts(self, now: datetime) -> dict[str, int]:
        """What is still to be added to the counters; what was reserved stands there already."""
        counts = {
            of_month("embeddings", self.began_at or now): self.embeddings - self.reserved.get("embeddings", 0),
            "agents": self.agents,
            "sessions": self.sessions,
            "dynamo_bytes": self.dynamo_bytes - self.reserved.get("dynamo_bytes", 0),
            "s3_bytes": self.s3_bytes - self.reserved.get("s3_bytes", 0),
            "vectors": self.vectors - self.reserved.get("vectors", 0),
        }
        return {name: count for name, count in counts.items() if count}


def usage_response(counters: Mapping[str, int], limits: Limits, now: datetime) -> UsageResponse:
    """What the counters say now; what was never counted is 0, and so is what lost counts left below it."""

    def at_least_none(name: str) -> int:
        return max(0, counters.get(name, 0))

    return UsageResponse(
        api_calls_month=at_least_none(of_month("api_calls", now)),
        embeddings_generated_month=at_least_none(of_month("embeddings", now)),
        storage=Storage(dynamo_bytes=at_least_none("dynamo_bytes"), s3_bytes=at_least_none("s3_bytes")),
        agents_count=at_least_none("agents"),
        sessions_count=at_least_none("sessions"),
        vectors_count=at_least_none("vectors"),
        billing_period=f"{now:%Y-%m}",
        limits=LimitsResponse(**asdict(limits)),
    )
