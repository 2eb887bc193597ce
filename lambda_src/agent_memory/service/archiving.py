"""Moves an agent's episodes to the cold tier.

Episodes are noted as they arrive, and written once they fill an object or have waited long enough. Whatever is killed
after whichever step, doing it again ends the same: notes and objects are named by what they hold, an object counts
once its row stands in the index, and only what such an object holds is marked for eviction.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchiveIndex, ColdObjects, HotEpisodes, Key, Pending
from agent_memory.domain.changes import Arrival
from agent_memory.domain.clusters import Pack, pack, size_of
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode
from agent_memory.domain.eviction import at_expiry, once_archived
from agent_memory.domain.ports import UsageStore
from agent_memory.service.verified_objects import write_verified

# As soon as so many bytes of lines wait, it is worth looking whether they fill an object.
_LOOK_BYTES = 1024 * 1024
# What one flush takes on: it is all held in memory.
_MOST_BYTES = 16 * 1024 * 1024
# A note has to fit into a record.
_NOTED_TOGETHER = 5000

Keyed = tuple[Key, Episode]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long an episode stays hot, and how long it waits at most for others to fill an object with."""

    hot_window: timedelta
    archive_within: timedelta


class Archiving:
    """The way into the cold tier. Flushes of one agent may run at the same time."""

    def __init__(
        self,
        index: ArchiveIndex,
        objects: ColdObjects,
        hot: HotEpisodes,
        usage: UsageStore,
        pace: Pace,
        clock: Callable[[], datetime],
    ) -> None:
        self._index = index
        self._objects = objects
        self._hot = hot
        self._usage = usage
        self._pace = pace
        self._clock = clock

    def note(self, tenant_id: str, agent_id: str, arrivals: Sequence[Arrival]) -> bool:
        """Remember that these episodes are to be archived: whether it is time for a flush.

        Raises:
            StoreUnavailable: some may not be noted.
        """
        for each in _noted(arrivals):
            self._index.note(tenant_id, agent_id, each)
        waiting = self._index.pending(tenant_id, agent_id)
        size = sum(each.size for each in waiting)
        before = size - sum(each.size for each in arrivals)
        return size // _LOOK_BYTES > before // _LOOK_BYTES or any(self._is_overdue(each.oldest) for each in waiting)

    def flush(self, tenant_id: str, agent_id: str, also: Sequence[Key] = ()) -> int:
        """Archive what was noted, and episodes beside it that nobody noted: how many have been.

        What fills no object yet stays noted, unless an episode is overdue.

        Raises:
            StoreUnavailable: some were not archived, or not marked as such; do it again.
        """
        epoch = self._index.epoch(tenant_id, agent_id)
        noted = _some(self._index.pending(tenant_id, agent_id))
        keys = sorted({*also, *(key for each in noted for key in each.keys)})
        found = {episode.id: (key, episode) for key, episode in self._hot.read(tenant_id, agent_id, keys)}
        live = self._without_expired(tenant_id, agent_id, found.values())
        packed = pack(live, is_overdue=any(self._is_overdue(episode.created_at) for episode in live))
        archived = 0
        for each in packed.packs:
            if not self._commit(each, epoch):
                return archived  # the agent is being purged: what was read is gone, or going
            self._mark(tenant_id, agent_id, [found[episode.id] for episode in each.episodes])
            archived += len(each.episodes)
        self._settle(tenant_id, agent_id, noted, [found[episode.id] for episode in packed.rest])
        return archived

    def _without_expired(self, tenant_id: str, agent_id: str, found: Iterable[Keyed]) -> list[Episode]:
        """Those that the cold tier is still to hold; readers miss the others already, and now DynamoDB removes them."""
        now, found = self._clock(), list(found)
        expired = [
            (key, at_expiry(each.expires_at)) for key, each in found if each.expires_at and not each.is_live(now)
        ]
        self._hot.evict(tenant_id, agent_id, expired)
        return [episode for _, episode in found if episode.is_live(now)]

    def _commit(self, each: Pack, epoch: int) -> bool:
        """Write an object, then its row; False when the agent was purged since the epoch, and nothing is left of it."""
        row = describe(each.episodes, each.content, epoch, self._clock())
        write_verified(self._objects, row.key, each.content)
        if not self._index.swap([row], [], epoch):
            self._objects.remove(row.key)
            return False
        with suppress(Exception):  # whatever it is: to write it all again would not make the count better
            self._usage.add(row.tenant_id, {"s3_bytes": row.size})
        return True

    def _mark(self, tenant_id: str, agent_id: str, archived: Iterable[Keyed]) -> None:
        now, window = self._clock(), self._pace.hot_window
        self._hot.evict(tenant_id, agent_id, [(key, once_archived(each, window, now)) for key, each in archived])

    def _settle(self, tenant_id: str, agent_id: str, noted: Sequence[Pending], rest: Iterable[Keyed]) -> None:
        """Note the rest anew, then forget the notes before: those named alike are the same and stay."""
        left = list(_noted([Arrival(key, size_of(each), each.created_at) for key, each in rest]))
        for each in left:
            self._index.note(tenant_id, agent_id, each)
        self._index.forget(tenant_id, agent_id, [each for each in noted if each.name not in {one.name for one in left}])

    def _is_overdue(self, written_at: datetime) -> bool:
        return self._clock() - written_at >= self._pace.archive_within


def _noted(arrivals: Iterable[Arrival]) -> Iterator[Pending]:
    """Notes of episodes, the same for the same ones in whatever order they come."""
    told = sorted({each.key: each for each in arrivals}.values(), key=lambda each: each.key)
    for start in range(0, len(told), _NOTED_TOGETHER):
        some = told[start : start + _NOTED_TOGETHER]
        size, oldest = sum(each.size for each in some), min(each.created_at for each in some)
        yield Pending(tuple(each.key for each in some), size, oldest)


def _some(noted: Iterable[Pending]) -> list[Pending]:
    """As many notes as one flush takes on, the oldest first."""
    some: list[Pending] = []
    size = 0
    for each in sorted(noted, key=lambda each: (each.oldest, each.name)):
        if some and size + each.size > _MOST_BYTES:
            break
        some.append(each)
        size += each.size
    return some
