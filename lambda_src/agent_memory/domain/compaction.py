"""Which small objects of the cold tier become one.

Objects of one calendar month are merged, never those of two: by the month an agent makes few objects however little
it writes, and a walk through a month meets no object that reaches out of it. While the month still fills up it takes
many small ones, so that each merge takes several objects away; once it is full, two.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from agent_memory.domain.archive import FULL_BYTES, ArchivedObject

MERGED_BYTES = 2 * 1024 * 1024
"""The most bytes that the lines of a merged object take, before compression."""

MERGED_OBJECTS = 50
"""The most objects that one takes the place of: a transaction of the index names each."""

_MANY = 10


def small_ones(rows: Iterable[ArchivedObject], now: datetime, filling: timedelta) -> list[list[ArchivedObject]]:
    """The small objects of each month that has enough of them, from the oldest on.

    A month is full when `filling` has passed since its end: so long its episodes may take to be archived.
    """
    small = [row for row in rows if row.size < FULL_BYTES and _month(row.first.time) == _month(row.last.time)]
    small.sort(key=attrgetter("first", "last", "key"))
    months = [list(month) for _, month in groupby(small, key=lambda row: _month(row.first.time))]
    return [month for month in months if len(month) >= (2 if _end_of(month[0]) + filling <= now else _MANY)]


def merged(line_bytes: Sequence[int]) -> list[slice]:
    """Which of neighbouring objects become one, by the bytes of their lines; an object is never cut in two.

    What has no neighbour that it fits with stays as it is, so merging what was merged changes nothing.
    """
    groups: list[slice] = []
    start = total = 0
    for place, size in enumerate(line_bytes):
        if place > start and (total + size > MERGED_BYTES or place - start == MERGED_OBJECTS):
            groups.append(slice(start, place))
            start, total = place, 0
        total += size
    groups.append(slice(start, len(line_bytes)))
    return [group for group in groups if group.stop - group.start > 1]


def _month(time: datetime) -> tuple[int, int]:
    return time.year, time.month


def _end_of(row: ArchivedObject) -> datetime:
    first = row.first.time.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1) if _month(first) < (9999, 12) else first
