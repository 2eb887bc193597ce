"""Moves an agent's episodes to the cold tier.

Episodes are noted as they arrive, and written once they fill an object or have waited long enough. Whatever is killed
after whichever step, doing it again ends the same: notes and objects are named by what they hold, an object counts
once its row stands in the index, and only what such an object holds is marked for eviction.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from agent_memory.domain.archive import ArchiveIndex, ColdObjects, HotEpisodes, Key, Pending
from agent_memory.domain.changes import Arrival
from agent_memory.domain.clusters import Pack, pack, size_of
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode
from agent_memory.domain.eviction import at_expiry, once_archived
from agent_memory.domain.notes import MOST_BYTES, for_one_flush, gathered, notes_of
from agent_memory.domain.ports import UsageStore
from agent_memory.service.verified_objects import write_verified

# As soon as so many bytes of lines wait, it is worth looking whether they fill an object.
_LOOK_BYTES = 1024 * 1024
# How often a flush goes on when more waits than it holds at once. A delivery has less, unless it compresses very well.
_ROUNDS = 8
# Of an agent that writes a little each minute there would be a thousand a day, to be read at each of its deliveries.
_MANY_NOTES = 50
# Of what was not noted nobody knows the size before it is read.
_READ_AT_ONCE = 8

Keyed = tuple[Key, Episode]


class _Round(NamedTuple):
    """How many episodes were archived, which of those that nobody noted are still to be read, and whether notes are."""

    archived: int
    left: Sequence[Key]
    is_behind: bool


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
        for each in notes_of(arrivals):
            self._index.note(tenant_id, agent_id, each)
        waiting = self._index.pending(tenant_id, agent_id)
        if len(waiting) >= _MANY_NOTES:
            self._gather(tenant_id, agent_id, waiting)
        size = sum(each.size for each in waiting)
        before = size - sum(each.size for each in arrivals)
        return size // _LOOK_BYTES > before // _LOOK_BYTES or any(self._is_overdue(each.oldest) for each in waiting)

    def _gather(self, tenant_id: str, agent_id: str, waiting: Sequence[Pending]) -> None:
        for one, several in gathered(waiting):
            if len(several) > 1:
                self._index.note(tenant_id, agent_id, one)
                # One that names the same episodes as all of them stays: it is the new one.
                self._index.forget(tenant_id, agent_id, [each for each in several if each.name != one.name])

    def flush(self, tenant_id: str, agent_id: str, also: Sequence[Key] = ()) -> int:
        """Archive what was noted, and episodes beside it that nobody noted: how many have been.

        What fills no object yet stays noted, unless an episode is overdue.

        Raises:
            StoreUnavailable: some were not archived, or not marked as such; do it again.
        """
        archived, left = 0, also
        for number in count(1):
            done = self._flush_some(tenant_id, agent_id, left)
            archived, left = archived + done.archived, done.left
            if not left and not (done.is_behind and done.archived and number < _ROUNDS):
                break
        return archived

    def _flush_some(self, tenant_id: str, agent_id: str, also: Sequence[Key]) -> "_Round":
        """As much as is held at once."""
        epoch = self._index.epoch(tenant_id, agent_id)
        waiting = self._index.pending(tenant_id, agent_id)
        noted = for_one_flush(waiting)
        read, left = self._read(tenant_id, agent_id, noted, also)
        found = {episode.id: (key, episode) for key, episode in read}
        live = self._without_expired(tenant_id, agent_id, found.values())
        packed = pack(live, is_overdue=any(self._is_overdue(episode.created_at) for episode in live))
        archived = 0
        for each in packed.packs:
            if not self._commit(each, epoch):
                return _Round(archived, (), is_behind=False)  # purged: what was read is gone, or going
            self._mark(tenant_id, agent_id, [found[episode.id] for episode in each.episodes])
            archived += len(each.episodes)
        self._settle(tenant_id, agent_id, noted, [found[episode.id] for episode in packed.rest])
        return _Round(archived, left, is_behind=len(noted) < len(waiting))

    def _read(
        self, tenant_id: str, agent_id: str, noted: Sequence[Pending], also: Sequence[Key]
    ) -> tuple[list[Keyed], Sequence[Key]]:
        """All that was noted, and of the others at least some; which ones are left."""
        keys = {key for each in noted for key in each.keys}
        found = list(self._hot.read(tenant_id, agent_id, sorted(keys)))
        size = sum(each.size for each in noted)
        left = [key for key in also if key not in keys]
        while left:
            more = self._hot.read(tenant_id, agent_id, left[:_READ_AT_ONCE])
            found += more
            left = left[_READ_AT_ONCE:]
            size += sum(size_of(episode) for _, episode in more)
            if size >= MOST_BYTES:
                break
        return found, left

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
        left = list(notes_of([Arrival(key, size_of(each), each.created_at) for key, each in rest]))
        for each in left:
            self._index.note(tenant_id, agent_id, each)
        self._index.forget(tenant_id, agent_id, [each for each in noted if each.name not in {one.name for one in left}])

    def _is_overdue(self, written_at: datetime) -> bool:
        return self._clock() - written_at >= self._pace.archive_within
