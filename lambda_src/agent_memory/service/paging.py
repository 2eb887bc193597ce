"""Pages of a walk: how far one request may read, and where the next one goes on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent_memory.domain.json_document import RawJson, dumps
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent

MAX_PAGE_BYTES = 2_500_000
_EXTRA_PAGES = 9
_OBJECTS = 10
_SECONDS = 5.0

PositionT = TypeVar("PositionT")
RecordT = TypeVar("RecordT")


class PageBudget:
    """10 store pages (the first of each stream is free), 10 objects of the archive and 5 seconds."""

    def __init__(self) -> None:
        self._left = _EXTRA_PAGES
        self._objects_left = _OBJECTS
        self._deadline = time.monotonic() + _SECONDS

    def spend(self) -> bool:
        """Take one more page."""
        self._left -= 1
        return self._left >= 0 and self.in_time()

    def open_object(self) -> bool:
        """Take one more object."""
        self._objects_left -= 1
        return self._objects_left >= 0 and self.in_time()

    def in_time(self) -> bool:
        """Whether the 5 seconds are not over."""
        return time.monotonic() < self._deadline


@dataclass(frozen=True, slots=True)
class Page(Generic[PositionT]):
    """`items` are written JSON; `resume_after` is None at the end; `partial` tells that the budget was spent."""

    items: list[RawJson]
    resume_after: PositionT | None
    partial: bool


def fill_page(
    stream: Iterator[tuple[PositionT, RecordT | None]],
    budget: ScanBudget,
    limit: int,
    wanted: Callable[[RecordT], bool],
    response: Callable[[RecordT], object],
) -> Page[PositionT]:
    """Take wanted records until the page is full, looking one record ahead to know whether it is the last."""
    items: list[RawJson] = []
    size = 0
    last: PositionT | None = None
    try:
        for position, record in stream:
            if record is not None and wanted(record):
                if len(items) == limit:
                    return Page(items, last, partial=False)
                item = RawJson(dumps(response(record)))
                size += len(item.encode())
                if items and size > MAX_PAGE_BYTES:
                    return Page(items, last, partial=False)
                items.append(item)
            last = position
            if not budget.in_time():
                return Page(items, last, partial=len(items) < limit)
    except ScanBudgetSpent:
        return Page(items, last, partial=len(items) < limit)
    return Page(items, None, partial=False)
