"""Rehydration: a range of an agent's archived episodes, once more in the hot tier for some days."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, islice

from agent_memory.domain.archive import ArchiveIndex, ColdObjects
from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.eviction import brought_back
from agent_memory.domain.identifiers import TENANT_ID, check_id
from agent_memory.domain.object_rows import ObjectRows
from agent_memory.domain.ports import UsageStore
from agent_memory.domain.rehydration import Rehydrated, RehydratedEpisodes
from agent_memory.domain.scan import NoBudget
from agent_memory.domain.timeline import Span
from agent_memory.errors import InvalidRequest, StoreUnavailable
from agent_memory.service.cold_walk import ColdWalk, ObjectVanished

_BATCH = 100
_ATTEMPTS = 5


class Rehydration:
    """The operator's use case. It may be repeated, and then goes on where it was stopped."""

    def __init__(
        self,
        index: ArchiveIndex,
        rows: ObjectRows,
        objects: Callable[[], ColdObjects],
        hot: RehydratedEpisodes,
        usage: UsageStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._index = index
        self._rows = rows
        self._objects = objects
        self._hot = hot
        self._usage = usage
        self._clock = clock

    def run(self, tenant_id: str, agent_id: str, start: datetime, end: datetime, days: int) -> Rehydrated:
        """Bring back what lies between two times, both inclusive, for so many days from now.

        Raises:
            InvalidRequest: a malformed id, or a range that ends before it starts.
            Conflict: the agent was purged meanwhile.
            StoreUnavailable: some are brought back, some not.
        """
        _check(tenant_id, agent_id, start, end)
        now = self._clock()
        span = Span(tenant_id, agent_id, newest_first=False, walk_started_at=now, asked_at=now, start=start, end=end)
        # Before anything is read: a purge after this must win.
        epoch = self._index.epoch(tenant_id, agent_id)
        done = Rehydrated(0, 0, 0)
        live = (each for each in self._episodes(span) if each.is_live(now))
        while batch := list(islice(live, _BATCH)):
            until = now + timedelta(days=days)
            marked = [(each, brought_back(each, until)) for each in batch]
            written, size = self._hot.bring_back(tenant_id, agent_id, marked, epoch)
            # Batch by batch: the archiver takes each off again when it is evicted, whatever becomes of the rest.
            if size:
                self._usage.add(tenant_id, {"dynamo_bytes": size})
            done = Rehydrated(done.found + len(batch), done.written + written, done.bytes + size)
        return done

    def _episodes(self, span: Span) -> Iterator[Episode]:
        """Each once, the oldest first, whatever is rewritten meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                for position, episode in _in_order(ColdWalk(self._rows, self._objects, span, NoBudget())):
                    if episode is not None and position != span.after:
                        yield episode
                    span = replace(span, after=position)
            except ObjectVanished:
                continue
            return
        raise StoreUnavailable("the archive was rewritten again and again")


def _in_order(walk: ColdWalk) -> Iterator[tuple[Position, Episode | None]]:
    for position, same in groupby(walk.between(*walk.span.bounds), key=lambda examined: examined[0]):
        yield position, next((episode for _, episode in same if episode is not None), None)


def _check(tenant_id: str, agent_id: str, start: datetime, end: datetime) -> None:
    if not TENANT_ID.fullmatch(tenant_id):
        raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
    try:
        check_id(agent_id)
    except ValueError as exc:
        raise InvalidRequest.of("agent_id", str(exc)) from None
    if start > end:
        raise InvalidRequest.of("to", "must not lie before from")
