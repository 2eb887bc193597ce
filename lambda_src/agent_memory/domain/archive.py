"""The cold tier: objects of many episodes, and the rows of an index that lead to them.

An episode stays in the hot tier until an object that holds it has been read back and its row stands in the index;
only then is it marked for eviction. So at any time it is in one tier or in both, and readers who look into the hot
tier first and into the cold one after it see it once.

One row describes one object: its stretch of the agent's timeline and a fingerprint of whom it is about. Rows are found
by the end of their stretch; so that a reader need not look far beyond the stretch that it wants, rows are kept apart
by how long their stretch may be (`REACHES`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from agent_memory.domain.episode import Episode, Position

Reach = Literal["hour", "day", "month"]
REACHES: Mapping[Reach, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=31)}
"""The longest stretch of an object of each kind; an object never covers more than a month."""

LEAST_HOT = timedelta(days=1)
"""No episode is evicted within this time of its own time or of when it was written, whatever the settings say: a
reader of a younger stretch need not look into the cold tier."""

FULL_BYTES = 128 * 1024
"""An object of so many bytes is worth its PUT, and moves to cheaper classes."""

ORPHANED_AFTER = timedelta(days=1)
"""How old a version of an object is that the sweep removes when nobody knows of it. Whoever commits an object has
written it long after half of that."""

_FINGERPRINT_BYTES = 4


def fingerprints(values: Iterable[str | None]) -> bytes:
    """Four bytes for each distinct value, sorted: `may_hold` tells whether one of them may be the value's."""
    distinct = {_fingerprint(value) for value in values if value is not None}
    return b"".join(sorted(distinct))


def _fingerprint(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()[:_FINGERPRINT_BYTES]


def may_hold(prints: bytes, value: str) -> bool:
    """Whether the value can be among those fingerprinted; True for one in some billions that is not."""
    wanted = _fingerprint(value)
    return any(prints[at : at + _FINGERPRINT_BYTES] == wanted for at in range(0, len(prints), _FINGERPRINT_BYTES))


def name_of(ids: Iterable[str]) -> str:
    """The name of the object that holds exactly these episodes: the hash of their sorted ids, so that whoever writes
    it again writes the same."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """One row of the index.

    `first` and `last` are the positions that its episodes lie between, both inclusive; `sha256` (hex) and `size` (in
    bytes) are of the object as stored. `sessions`, `users` and `runs` are fingerprints. `bodies` are keys of the
    large values that its episodes own. `first_expiry` is the earliest expiry among them, None when none expires.
    """

    tenant_id: str
    agent_id: str
    key: str
    sha256: str
    size: int
    count: int
    first: Position
    last: Position
    sessions: bytes
    users: bytes
    runs: bytes
    types: frozenset[str]
    bodies: frozenset[str]
    first_expiry: datetime | None
    archived_at: datetime

    @property
    def reach(self) -> Reach:
        """The shortest kind that its stretch fits."""
        stretch = self.last.time - self.first.time
        return next(reach for reach, longest in REACHES.items() if stretch <= longest)


class Key(NamedTuple):
    """Where an episode stands in the hot tier."""

    bucket: int
    position: Position


@dataclass(frozen=True, slots=True)
class Pending:
    """Episodes of an agent that one delivery of the stream told of and that no object holds yet.

    `size` is the bytes that they take as lines, before compression; `oldest` when the first of them was written.
    """

    keys: tuple[Key, ...]
    size: int
    oldest: datetime

    @property
    def name(self) -> str:
        """The same for the same episodes, whoever notes them."""
        return name_of(each.position.id for each in self.keys)


class ArchiveIndex(Protocol):
    """What is known of an agent's episodes on their way to the cold tier, and of the objects there.

    Every method raises StoreUnavailable when the store does not answer.
    """

    def note(self, tenant_id: str, agent_id: str, pending: Pending) -> None:
        """Remember episodes that are to be archived; saying so again changes nothing."""

    def pending(self, tenant_id: str, agent_id: str) -> Sequence[Pending]:
        """All that was noted and not forgotten, read consistently."""

    def forget(self, tenant_id: str, agent_id: str, pending: Sequence[Pending]) -> None:
        """These are archived, or gone."""

    def epoch(self, tenant_id: str, agent_id: str) -> int:
        """How often the agent has been purged; read it before what is to be archived."""

    def begin_epoch(self, tenant_id: str, agent_id: str) -> None:
        """The agent is about to be purged: nothing that was read before may be committed from now on."""

    def swap(self, added: Sequence[ArchivedObject], dropped: Sequence[ArchivedObject], epoch: int) -> bool:
        """Commit rows of new objects, and drop those whose episodes they hold, all or nothing; of one agent.

        False when the agent was purged since the epoch or a dropped row is not there any more: nothing was changed,
        and the new objects are nobody's. Committing what stands there already is True.
        """

    def overlapping(
        self, tenant_id: str, agent_id: str, low: Position | None, high: Position | None, *, newest_first: bool
    ) -> Sequence[ArchivedObject]:
        """Every object whose stretch touches [low, high] (None: no bound), by the end that a walk meets first."""


class ColdObjects(Protocol):
    """Objects of the archive bucket. Every method raises StoreUnavailable when the bucket does not answer."""

    def put_once(self, key: str, content: bytes) -> None:
        """Write an object whose name says what is in it; one that is there already stays.

        But of one that is half as old as `ORPHANED_AFTER` a new version is written, so that no sweep removes it from
        under whoever is about to commit it.
        """

    def put_over(self, key: str, content: bytes) -> None:
        """Write over an object that was found broken; one that somebody else has written meanwhile stays."""

    def get(self, key: str) -> bytes | None:
        """Read an object whole; None when there is none."""

    def remove(self, key: str) -> int:
        """Remove an object in all its versions; how many bytes those had."""


class HotEpisodes(Protocol):
    """The hot tier as the archive sees it."""

    def read(self, tenant_id: str, agent_id: str, keys: Sequence[Key]) -> Sequence[tuple[Key, Episode]]:
        """Those of the episodes that are there and not marked for eviction, read consistently."""

    def evict(self, tenant_id: str, agent_id: str, keys: Sequence[tuple[Key, datetime]]) -> None:
        """Mark episodes for eviction at a time each, unless they are gone or marked already; never bring one back."""
