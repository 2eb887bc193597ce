"""What the use cases need from stores.

Every method raises StoreUnavailable when its store does not answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agent_memory.domain.buckets import Buckets
from agent_memory.domain.claims import Claim
from agent_memory.domain.episode import Episode, Examined
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.purge import Removed
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import Session, State, StateChange, StateKey
from agent_memory.domain.timeline import Span
from agent_memory.errors import AgentMemoryError


class StateStore(Protocol):
    """One record for each (tenant, agent, session); a read sees every earlier write."""

    def owner(self, key: StateKey) -> str:
        """What the record is called in keys of what it owns elsewhere."""

    def get(self, key: StateKey, now: datetime) -> State | None:
        """Read a live record."""

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        """Write version n where version n - 1 lives, version 1 where nothing lives.

        Raises:
            RateLimited: the tenant may not store so much; nothing was written. `update` raises it too.
            NoRoomInRecord: the data needs a body; nothing was written. `update` raises it too.
            VersionMismatch: something else lives there; nothing was written.
            AlreadyAnswered: the idempotency key has been used; nothing was written.
        """

    def update(self, change: StateChange) -> State:
        """Write a change over the live version before it, in one call.

        Raises:
            VersionMismatch: another version lives there, or none.
        """

    def delete(self, key: StateKey, now: datetime, answer: IdempotencyRecord | None) -> bool:
        """Remove a live record; False when there is none.

        Raises:
            AlreadyAnswered: the idempotency key has been used; nothing was removed.
        """

    def remove_expired(self, key: StateKey, now: datetime) -> bool:
        """Remove a record that has expired; False when it lives, or is not there."""

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Session | None]]:
        """Yield (position, session or None for an expired one) in the order of positions.

        Raises:
            ScanBudgetSpent: more remain.
        """


class EpisodeStore(Protocol):
    """Episodes of an agent; a timeline holds everything acknowledged before its walk started."""

    def owner(self, episode: Episode) -> str:
        """What the record is called in keys of what it owns elsewhere."""

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        """Write each episode: None for each that is durable, else why not. Repeating one changes nothing.

        NoRoomInRecord says that the content needs a body; `append_answered` raises it.

        Raises:
            RateLimited: the tenant may not store so much; nothing was written. `append_answered` raises it too.
        """

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        """Write one episode and the answer to its request, both or neither.

        Raises:
            AlreadyAnswered: the key has been used.
        """

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        """Yield each position once, in order; None where the index named a record that is not the span's.

        Raises:
            ScanBudgetSpent: more remain.
        """


class IdempotencyStore(Protocol):
    """First answers, by tenant and scope."""

    def put(self, record: IdempotencyRecord, now: datetime) -> None:
        """Keep a record.

        Raises:
            AlreadyAnswered: a record that has not lapsed is there.
        """

    def claim(self, record: IdempotencyRecord, now: datetime) -> IdempotencyRecord:
        """Start a request of several writes; takes over from an attempt that died, with its `started_at`.

        Raises:
            AlreadyAnswered: another attempt runs or has finished.
        """

    def finish(self, record: IdempotencyRecord) -> None:
        """Replace the claimed record by its answer."""

    def release(self, record: IdempotencyRecord, now: datetime) -> None:
        """Let the next attempt take over at once."""


class SubjectStore(Protocol):
    """Whose session it is."""

    def bind(self, tenant_id: str, agent_id: str, session_id: str, user_id: str) -> str:
        """Bind a session to its first user; returns the user that it is bound to."""

    def bound(self, tenant_id: str, agent_id: str, session_id: str) -> str | None:
        """The user that a session is bound to."""


class BucketStore(Protocol):
    """How an agent is spread."""

    def get(self, tenant_id: str, agent_id: str) -> Buckets:
        """Read; one bucket when nothing was said."""

    def grow(self, tenant_id: str, agent_id: str, old: Buckets, new: Buckets) -> bool:
        """Replace `old` by `new`; False when it was not `old` any more."""


class UsageStore(Protocol):
    """A tenant's counters, by name."""

    def add(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """Add to each counter; given up soon when the store does not answer."""

    def claim(self, tenant_id: str, claim: Claim) -> Mapping[str, int]:
        """Do what `claims.claimed` does, in one step; what the counters are then.

        Given up soon, as above, unless something is limited: then no request can be served without an answer.

        Raises:
            ClaimRefused: nothing was written.
        """

    def get(self, tenant_id: str) -> Mapping[str, int]:
        """Every counter that was ever added to."""


class AgentRegistry(Protocol):
    """Which agents and sessions a tenant has stored anything for."""

    def mark(self, tenant_id: str, agent_id: str, session_id: str | None) -> bool:
        """Note an agent, or a session of it; False when it is known. Given up soon when the store does not answer."""

    def agents(self, tenant_id: str, limit: int) -> list[str]:
        """Up to so many known agents, the same ones each time."""


class AgentStore(Protocol):
    """A store of which an agent's part can be removed."""

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """Remove what the agent has there, part by part; each part is gone when it is yielded.

        What was acknowledged before is gone at the end; what is written meanwhile may be left.
        """
