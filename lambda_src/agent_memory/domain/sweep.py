"""A sweep: a look at all that is stored, once a day, for what events alone would have missed.

It may take longer than a function runs, and may be stopped at any moment: its place is kept, and whatever it does may
be done twice.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from agent_memory.domain.archive import Key
from agent_memory.domain.identifiers import TENANT_ID, from_path

Step = Literal["overdue", "expired", "small", "orphans"]
STEPS: tuple[Step, ...] = ("overdue", "expired", "small", "orphans")
"""Episodes that were not archived; records of the archive that have lapsed; its small objects; what stands in the
bucket and belongs to nobody, which is also what the steps before took the place of."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Somewhat less than a day, for a schedule that comes each hour and is never quite on time.
_PERIOD = timedelta(hours=23, minutes=30)


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a sweep is: `after` is where its step goes on, in the words of that step; no step when it is over.

    `counts` are what it found and did so far.
    """

    started_at: datetime
    step: Step | None = STEPS[0]
    after: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    def is_due_again(self, now: datetime) -> bool:
        """Whether the next one may begin. One that began in the future was timed by a clock that was wrong."""
        return self.step is None and not timedelta() <= now - self.started_at < _PERIOD

    def further(self, progress: "Progress", counts: Mapping[str, int]) -> "Sweep":
        """The same sweep after a part of its step."""
        counts = Counter(self.counts) + Counter(counts)
        if not progress.is_over or self.step is None:
            return replace(self, after=progress.after, counts=counts)
        later = STEPS[STEPS.index(self.step) + 1 :]
        return replace(self, step=later[0] if later else None, after=None, counts=counts)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a step, which ends early when time is up, and tells what it found and did."""

    may_go_on: Callable[[], bool]
    counts: Counter[str] = field(default_factory=Counter)


class Progress(NamedTuple):
    """Where a step goes on, unless it is over."""

    after: str | None
    is_over: bool


class SweepStore(Protocol):
    """Where the place of the sweep is kept. Every method raises StoreUnavailable when the store does not answer."""

    def last(self) -> tuple[Sweep | None, int]:
        """The sweep that began last, None before the first, and which revision of it this is."""

    def keep(self, sweep: Sweep, revision: int) -> bool:
        """Keep its place as the next revision; False when somebody else has kept one since: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Unarchived:
    """An episode of the hot tier that is not marked for eviction."""

    tenant_id: str
    agent_id: str
    key: Key
    created_at: datetime


class HotScan(Protocol):
    """The hot tier of all tenants. Every method raises StoreUnavailable when the store does not answer."""

    def unarchived(self, written_by: datetime, after: str | None) -> tuple[Sequence[Unarchived], str | None]:
        """Some of the episodes that are not marked for eviction and were written by then; where to go on.

        May name one that has been marked a moment ago, and misses none that was written a minute ago.
        """

    def bodies_of(self, owners: Sequence[str]) -> Sequence[str | None]:
        """The key of the large value that each record points to now, read consistently; None for none.

        Records are named as in the keys of what they own; a name that is none is nobody's.
        """


class Agent(NamedTuple):
    """Whose objects they are."""

    tenant_id: str
    agent_id: str


class Place(NamedTuple):
    """A key that says whose it is; `owner` names the record that it is a large value of, and no object has one."""

    key: str
    agent: Agent
    owner: str | None

    @classmethod
    def of(cls, key: str) -> "Place | None":
        """Read a key; None where nothing of an agent stands."""
        match key.split("/"):
            case [tenant_id, path, day, name] if _DAY.fullmatch(day) and name.endswith(".jsonl.gz"):
                owner = None
            case [tenant_id, path, "bodies", _, owner_name, _]:
                owner = owner_name
            case _:
                return None
        try:
            return cls(key, Agent(tenant_id, from_path(path)), owner) if TENANT_ID.fullmatch(tenant_id) else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of an object, or a marker of its deletion, which has no size."""

    key: str
    version_id: str
    size: int
    modified_at: datetime


class Bucket(Protocol):
    """The archive bucket of all tenants. Every method raises StoreUnavailable when the bucket does not answer."""

    def agents(self, after: Agent | None, most: int) -> Sequence[Agent]:
        """Up to so many agents that have objects, in an order of its own, those after the given one."""

    def versions(self, after: str | None) -> tuple[Sequence[StoredVersion], str | None]:
        """Some versions and deletion markers, in the order of keys; where to go on."""

    def remove(self, versions: Sequence[StoredVersion]) -> None:
        """Remove exactly these versions, for good."""
