"""Notes of an agent's episodes that are still to be archived: the archiver has no other memory."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchiveIndex, Pending
from agent_memory.domain.changes import Arrival
from agent_memory.domain.notes import gathered, notes_of

# As soon as so many bytes of lines wait, it is worth looking whether they fill an object.
_LOOK_BYTES = 1024 * 1024
# Of an agent that writes a little each minute there would be a thousand a day, to be read at each of its deliveries.
_MANY_NOTES = 50


class Noting:
    """Takes and exchanges notes. Whatever is killed in between, an episode is in one or in two, never in none."""

    def __init__(self, index: ArchiveIndex, archive_within: timedelta, clock: Callable[[], datetime]) -> None:
        self._index = index
        self._archive_within = archive_within
        self._clock = clock

    def add(self, tenant_id: str, agent_id: str, arrivals: Sequence[Arrival]) -> bool:
        """Note episodes: whether it is time for a flush.

        Raises:
            StoreUnavailable: some may not be noted.
        """
        for each in notes_of(arrivals):
            self._index.note(tenant_id, agent_id, each)
        waiting = self._index.pending(tenant_id, agent_id)
        if len(waiting) >= _MANY_NOTES:
            for one, several in gathered(waiting):
                if len(several) > 1:
                    self._exchange(tenant_id, agent_id, several, [one])
        size = sum(each.size for each in waiting)
        before = size - sum(each.size for each in arrivals)
        return size // _LOOK_BYTES > before // _LOOK_BYTES or any(self.is_overdue(each.oldest) for each in waiting)

    def replace(self, tenant_id: str, agent_id: str, noted: Sequence[Pending], rest: Iterable[Arrival]) -> None:
        """Of what was noted only the rest is still to be archived."""
        self._exchange(tenant_id, agent_id, noted, list(notes_of(rest)))

    def is_overdue(self, written_at: datetime) -> bool:
        """Whether an episode of that time has waited long enough."""
        return self._clock() - written_at >= self._archive_within

    def _exchange(self, tenant_id: str, agent_id: str, old: Sequence[Pending], new: Sequence[Pending]) -> None:
        for each in new:
            self._index.note(tenant_id, agent_id, each)
        # Those named alike are the same and stay.
        self._index.forget(tenant_id, agent_id, [each for each in old if each.name not in {one.name for one in new}])
