"""Usage of a tenant: counters that are added to where the work happens, and never found out by reading records.

What each counter means:

- `api_calls:<month>`: requests that carried a good API key, refused ones and repetitions of earlier ones included.
  Readiness counts for nobody.
- `embeddings:<month>`: texts that the embedding model was called for; what a cache answered is not among them.
- `agents`, `sessions`: distinct agents, and distinct sessions of an agent, that anything was ever stored for, until
  the agent is purged. A session stays counted when its state is deleted or expires.
- `dynamo_bytes`: names and values of the states and episodes in DynamoDB, as they are stored. What expires stays
  counted until it is overwritten or purged: nothing in this release hears of DynamoDB's own deletions.
- `s3_bytes`: objects in the archive, all versions.

A counter may be off by what a crash kept from being passed on, and by a call whose answer was lost on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel


class Storage(BaseModel):
    """Bytes by store."""

    dynamo_bytes: int
    s3_bytes: int


class UsageResponse(BaseModel):
    """A tenant's usage in the current month, and what it has stored."""

    api_calls_month: int
    embeddings_generated_month: int
    storage: Storage
    agents_count: int
    sessions_count: int
    billing_period: str


@dataclass(slots=True)
class Tally:
    """What the request under way has done so far, told by those who did it, in the request's own thread."""

    embeddings: int = 0
    agents: int = 0
    sessions: int = 0
    dynamo_bytes: int = 0
    s3_bytes: int = 0
    touched: dict[tuple[str, str | None], None] = field(default_factory=dict)

    def stored(self, agent_id: str, session_id: str | None, dynamo_bytes: int = 0) -> None:
        """Something was stored for the agent, maybe in a session; what it took the place of is deducted already."""
        self.touched[agent_id, session_id] = None
        self.dynamo_bytes += dynamo_bytes

    def taken(self) -> "Tally":
        """Hand over what there is and begin anew."""
        done = Tally(self.embeddings, self.agents, self.sessions, self.dynamo_bytes, self.s3_bytes, self.touched)
        self.embeddings = self.agents = self.sessions = self.dynamo_bytes = self.s3_bytes = 0
        self.touched = {}
        return done

    def counts(self, now: datetime) -> dict[str, int]:
        """What one request adds to the counters."""
        counts = {
            _of_month("api_calls", now): 1,
            _of_month("embeddings", now): self.embeddings,
            "agents": self.agents,
            "sessions": self.sessions,
            "dynamo_bytes": self.dynamo_bytes,
            "s3_bytes": self.s3_bytes,
        }
        return {name: count for name, count in counts.items() if count}


def usage_response(counters: Mapping[str, int], now: datetime) -> UsageResponse:
    """What the counters say now; what was never counted is 0, and so is what lost counts left below it."""

    def at_least_none(name: str) -> int:
        return max(0, counters.get(name, 0))

    return UsageResponse(
        api_calls_month=at_least_none(_of_month("api_calls", now)),
        embeddings_generated_month=at_least_none(_of_month("embeddings", now)),
        storage=Storage(dynamo_bytes=at_least_none("dynamo_bytes"), s3_bytes=at_least_none("s3_bytes")),
        agents_count=at_least_none("agents"),
        sessions_count=at_least_none("sessions"),
        billing_period=f"{now:%Y-%m}",
    )


def _of_month(name: str, now: datetime) -> str:
    return f"{name}:{now:%Y-%m}"
