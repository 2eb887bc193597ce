"""One timeline over both tiers.

An episode leaves the hot tier only after the index of the cold one leads to it. So each stretch of a walk is read in
the hot tier first and in the index after that: what is found in neither was not there when the walk began, and what
is found in both is told apart by its position. That holds whatever is archived, evicted, rewritten or brought back
meanwhile, since nothing is concluded from what an earlier page has read.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from agent_memory.domain.archive import LEAST_HOT, REACHES, ColdObjects
from agent_memory.domain.episode import Episode, Examined, Position
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import memory_of
from agent_memory.domain.object_rows import ObjectRows
from agent_memory.domain.ports import EpisodeStore
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.timeline import Span
from agent_memory.errors import AgentMemoryError, StoreUnavailable
from agent_memory.service.cold_walk import ColdWalk, ObjectVanished

# Episodes of one stretch are held in memory together, and of what compresses well a page of the table has a gigabyte.
_MOST_HELD = 32_000_000

# What is younger is in the hot tier, however far the clocks of two functions are apart.
_SURELY_HOT = LEAST_HOT - timedelta(hours=1)


class TieredEpisodes:
    """`EpisodeStore` over a hot one and the archive, of which `objects` makes the client when it is first needed."""

    def __init__(self, hot: EpisodeStore, rows: ObjectRows, objects: Callable[[], ColdObjects]) -> None:
        self._hot = hot
        self._rows = rows
        self._objects = objects

    def owner(self, episode: Episode) -> str:
        """See `EpisodeStore.owner`."""
        return self._hot.owner(episode)

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        """See `EpisodeStore.append`."""
        return self._hot.append(episodes, now)

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        """See `EpisodeStore.append_answered`."""
        self._hot.append_answered(episode, now, answer)

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        """See `EpisodeStore.timeline`."""
        cold, after = ColdWalk(self._rows, self._objects, span, budget), span.after
        try:
            for examined in self._walk(span, cold):
                yield examined
                after, cold.has_moved = examined[0], True
        except ObjectVanished:
            pass
        else:
            return
        try:
            yield from self._walk(replace(span, after=after), cold)
        except ObjectVanished:
            raise StoreUnavailable("an archived object is missing") from None

    def _walk(self, span: Span, cold: ColdWalk) -> Iterator[Examined]:
        since = Position(span.asked_at - _SURELY_HOT, "")
        is_merged = False
        for is_older, hot in groupby(self._hot.timeline(span, cold.budget), lambda examined: examined[0] < since):
            if is_older:
                yield from self._both(span, since, hot, cold)
            elif span.newest_first or is_merged:
                yield from hot
            else:
                yield from self._both(span, since, iter(()), cold)
                yield from hot
            is_merged = is_merged or is_older or not span.newest_first
        if not is_merged:
            yield from self._both(span, since, iter(()), cold)

    def _both(self, span: Span, since: Position, hot: Iterator[Examined], cold: ColdWalk) -> Iterator[Examined]:
        """What lies before `since`, stretch by stretch, each of twice as many hot episodes as the one before."""
        low, high = span.bounds
        high, last, size = min(since, high or since), span.after, span.page_size
        while low is None or low < high:
            found, end = _some(hot, size)
            edge = None if end == "end" else found[-1][0]
            stretch = cold.between((edge or low), high) if span.newest_first else cold.between(low, (edge or high))
            for position, episode in _merged(span, found, stretch):
                if position != last:  # else it was the edge of the stretch before
                    yield position, episode
                last = position
            if edge is None:
                return
            if end == "spent" or not all(cold.budget.spend() for _ in REACHES):
                raise ScanBudgetSpent
            low, high, size = (low, edge, size * 2) if span.newest_first else (edge, high, size * 2)


def _some(hot: Iterator[Examined], size: int) -> tuple[list[Examined], Literal["more", "end", "spent"]]:
    """The next so many, or fewer large ones, and how it goes on.

    Raises:
        ScanBudgetSpent: there is not even one.
    """
    found: list[Examined] = []
    held = 0
    try:
        for examined in hot:
            found.append(examined)
            held += memory_of(examined[1] and examined[1].content)
            if len(found) == size or held > _MOST_HELD:
                return found, "more"
    except ScanBudgetSpent:
        if not found:
            raise
        return found, "spent"
    return found, "end"


def _merged(span: Span, hot: Iterable[Examined], cold: Iterator[Examined]) -> Iterator[Examined]:
    """Each position once, with the episode if one of the tiers has it."""
    merged = heapq.merge(hot, cold, key=_position, reverse=span.newest_first)
    for position, same in groupby(merged, key=_position):
        yield position, next((episode for _, episode in same if episode is not None), None)


def _position(examined: Examined) -> Position:
    return examined[0]
