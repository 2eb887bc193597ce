"""Walks over the cold tier: objects are opened as a walk comes to them, and their lines merged."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agent_memory import logs
from agent_memory.domain.archive import ArchivedObject, ColdObjects, may_hold
from agent_memory.domain.archived_episode import episode_of, lines_in
from agent_memory.domain.episode import Episode, Examined, Position
from agent_memory.domain.object_rows import ObjectRows, Stretch
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.timeline import Span
from agent_memory.errors import StoreUnavailable

# Objects that are at hand when the next stretch of a walk needs them again; a request opens no more, a long walk does.
_KEPT = 12


class ObjectVanished(Exception):
    """An object of the index is gone: another took its place after the index was read."""


@dataclass(slots=True)
class ColdWalk:
    """What one request reads of the cold tier; `has_moved` once the walk has come further than where it began.

    Until then objects are opened whatever the budget says, or else a walk could stand still for ever where many of
    them lie over each other.
    """

    rows: ObjectRows
    objects: Callable[[], ColdObjects]
    span: Span
    budget: ScanBudget
    has_moved: bool = False
    _opened: dict[str, Sequence[bytes]] = field(default_factory=dict)

    def between(self, low: Position | None, high: Position | None) -> Iterator[Examined]:
        """Yield what objects hold of [low, high], in the order of the walk; a position may come several times.

        An object makes itself known, by None at the end that the walk meets first, before it is read.

        Raises:
            ObjectVanished, ScanBudgetSpent: what was yielded stands.
            StoreUnavailable: an object is not what was written.
        """
        stretch = Stretch(self.span.tenant_id, self.span.agent_id, low, high, self.span.newest_first)
        rows, open_ = self.rows.along(stretch, self.budget), _Open(stretch.newest_first)
        row = next(rows, None)
        while row or open_.streams:
            if row and open_.has_come_to(end := _clipped(stretch.near_end(row), stretch)):
                yield end, None
                if self._may_hold(row):
                    open_.add(self._read(row, stretch))
                row = next(rows, None)
            else:
                yield open_.take()

    def _may_hold(self, row: ArchivedObject) -> bool:
        span = self.span
        asked = ((row.sessions, span.session_id), (row.users, span.user_id), (row.runs, span.run_id))
        named = all(value is None or may_hold(prints, value) for prints, value in asked)
        return named and (span.type is None or span.type in row.types)

    def _read(self, row: ArchivedObject, stretch: Stretch) -> Iterator[Examined]:
        lines = self._lines(row)
        start = 0 if stretch.low is None else bisect_left(lines, stretch.low, key=_position)
        stop = len(lines) if stretch.high is None else bisect_right(lines, stretch.high, key=_position)
        for place in reversed(range(start, stop)) if self.span.newest_first else range(start, stop):
            episode = episode_of(lines[place])
            yield episode.position, episode if self._is_wanted(episode) else None

    def _lines(self, row: ArchivedObject) -> Sequence[bytes]:
        if row.key not in self._opened:
            if not self.budget.open_object() and self.has_moved:
                raise ScanBudgetSpent
            content = self.objects().get(row.key)
            if content is None:
                raise ObjectVanished
            if hashlib.sha256(content).hexdigest() != row.sha256:
                logs.line(level="ERROR", error="ArchivedObjectBroken", object=row.key.rpartition("/")[2])
                raise StoreUnavailable("an archived object is not what was written")
            self._opened[row.key] = lines_in(content)
            if len(self._opened) > _KEPT:
                del self._opened[next(iter(self._opened))]
        return self._opened[row.key]

    def _is_wanted(self, episode: Episode) -> bool:
        span = self.span
        return (
            (episode.tenant_id, episode.agent_id) == (span.tenant_id, span.agent_id)
            and span.session_id in (None, episode.session_id)
            and span.user_id in (None, episode.user_id)
            and span.run_id in (None, episode.run_id)
        )


class _Open:
    """Objects that the walk is within, each with what it yields next."""

    def __init__(self, newest_first: bool) -> None:  # noqa: FBT001 (a fact, not a switch)
        self._newest_first = newest_first
        self.streams: list[tuple[Examined, Iterator[Examined]]] = []

    def add(self, stream: Iterator[Examined]) -> None:
        if (head := next(stream, None)) is not None:
            self.streams.append((head, stream))

    def has_come_to(self, end: Position) -> bool:
        """Whether nothing of what is open comes before this position."""
        if not self.streams:
            return True
        position = self._first()[0][0]
        return position <= end if self._newest_first else end <= position

    def take(self) -> Examined:
        first = self._first()
        self.streams.remove(first)
        self.add(first[1])
        return first[0]

    def _first(self) -> tuple[Examined, Iterator[Examined]]:
        return (max if self._newest_first else min)(self.streams, key=lambda stream: stream[0][0])


def _position(line: bytes) -> Position:
    return episode_of(line).position


def _clipped(position: Position, stretch: Stretch) -> Position:
    position = position if stretch.low is None else max(position, stretch.low)
    return position if stretch.high is None else min(position, stretch.high)
