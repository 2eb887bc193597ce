"""What the use cases need from stores.

Every method raises StoreUnavailable when its store does not answer.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from agent_memory.domain.buckets import Buckets
from agent_memory.domain.episode import Episode, Examined
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import State, StateChange, StateKey
from agent_memory.domain.timeline import Span
from agent_memory.errors import AgentMemoryError


class StateStore(Protocol):
    """One record for each (tenant, agent, session); a read sees every earlier write."""

    def get(self, key: StateKey, now: datetime) -> State | None:
        """Read a live record."""

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        """Write version n where version n - 1 lives, version 1 where nothing lives.

        Raises:
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

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, str | None]]:
        """Yield (position, session id or None for an expired one) in the order of positions.

        Raises:
            ScanBudgetSpent: more remain.
        """


class EpisodeStore(Protocol):
    """Episodes of an agent; a timeline holds everything acknowledged before its walk started."""

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        """Write each episode: None for each that is durable, else why not. Repeating one changes nothing."""

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


class BucketStore(Protocol):
    """How an agent is spread."""

    def get(self, tenant_id: str, agent_id: str) -> Buckets:
        """Read; one bucket when nothing was said."""

    def grow(self, tenant_id: str, agent_id: str, old: Buckets, new: Buckets) -> bool:
        """Replace `old` by `new`; False when it was not `old` any more."""
