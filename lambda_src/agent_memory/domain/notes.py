"""Notes of episodes that are to be archived: how many of them make one note, and how many notes one flush takes on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate, groupby
from operator import itemgetter

from agent_memory.domain.archive import Pending
from agent_memory.domain.changes import Arrival

MOST_BYTES = 8 * 1024 * 1024
"""Of lines, in one flush: it is all held in memory, where JSON of small parts takes up to twenty times the room."""

# A note has to fit into a record.
_NOTED_TOGETHER = 5000
# And a flush takes whole notes, while one delivery of what compresses well may hold a gigabyte.
_NOTED_BYTES = MOST_BYTES // 4


def notes_of(arrivals: Iterable[Arrival]) -> Iterator[Pending]:
    """Notes of episodes, the same for the same ones in whatever order they come."""
    told = sorted({each.key: each for each in arrivals}.values(), key=lambda each: each.key)
    ends = accumulate(each.size for each in told)
    places = ((place // _NOTED_TOGETHER, end // _NOTED_BYTES) for place, end in enumerate(ends))
    for _, group in groupby(zip(places, told, strict=True), key=itemgetter(0)):
        some = [each for _, each in group]
        size, oldest = sum(each.size for each in some), min(each.created_at for each in some)
        yield Pending(tuple(each.key for each in some), size, oldest)


def gathered(noted: Iterable[Pending]) -> Iterator[tuple[Pending, Sequence[Pending]]]:
    """Fewer notes of the same episodes, each with those that it takes the place of."""
    group: list[Pending] = []
    for each in sorted(noted, key=_age):
        if group and not _fit_together([*group, each]):
            yield _one_of(group), group
            group = []
        group.append(each)
    yield _one_of(group), group


def _fit_together(notes: Sequence[Pending]) -> bool:
    return sum(len(each.keys) for each in notes) <= _NOTED_TOGETHER and sum(each.size for each in notes) <= _NOTED_BYTES


def _one_of(notes: Sequence[Pending]) -> Pending:
    keys = sorted({key for each in notes for key in each.keys})
    return Pending(tuple(keys), sum(each.size for each in notes), min(each.oldest for each in notes))


def _age(note: Pending) -> tuple[datetime, str]:
    return note.oldest, note.name


def for_one_flush(noted: Iterable[Pending]) -> list[Pending]:
    """As many notes as one flush takes on, the oldest first, and one in any case."""
    some: list[Pending] = []
    size = 0
    for each in sorted(noted, key=_age):
        if some and size + each.size > MOST_BYTES:
            break
        some.append(each)
        size += each.size
    return some
