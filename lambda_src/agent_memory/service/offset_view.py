"""Pages by their number, for callers that show page 3 of 12: read from the start each time, as far as one request may.

A cursor is the way through many records; this is a view of what is near the beginning.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.service.paging import Page, fill_page

PositionT = TypeVar("PositionT")
RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True)
class OffsetPage(Generic[PositionT]):
    """A page, and how many records there are in all: None when they could not all be counted."""

    page: Page[PositionT]
    total: int | None


@dataclass(slots=True)
class OffsetView(Generic[PositionT, RecordT]):
    """One reading of a walk from its start, of which only `wanted` records count."""

    stream: Iterator[tuple[PositionT, RecordT | None]]
    budget: ScanBudget
    wanted: Callable[[RecordT], bool]
    _seen: int = 0
    _is_spent: bool = False

    def page(self, number: int, size: int, response: Callable[[RecordT], object]) -> OffsetPage[PositionT]:
        """Pass over the pages before, take one, and count what follows while the budget lasts.

        The page is partial when the budget ends before it is full, and when its records have too many bytes for one
        answer. One that could not be reached is empty, and nothing goes on after it: that would be an earlier page.
        """
        skipped = (number - 1) * size
        page = fill_page(self._watched(), self.budget, size, lambda each: self._count(each) > skipped, response)
        if page.partial:
            return OffsetPage(page if self._seen >= skipped else Page([], None, partial=True), None)
        if page.resume_after is not None:
            page = Page(page.items, page.resume_after, partial=len(page.items) < size)
            self._count_rest()
        return OffsetPage(page, None if self._is_spent else self._seen)

    def _count(self, record: RecordT) -> int:
        """The record's number, and 0 for one that does not count."""
        if not self.wanted(record):
            return 0
        self._seen += 1
        return self._seen

    def _count_rest(self) -> None:
        with suppress(ScanBudgetSpent):
            for _, record in self._watched():
                if record is not None:
                    self._count(record)
                if not self.budget.in_time():
                    self._is_spent = True
                    return

    def _watched(self) -> Iterator[tuple[PositionT, RecordT | None]]:
        while True:
            try:
                examined = next(self.stream)
            except StopIteration:
                return
            except ScanBudgetSpent:
                self._is_spent = True
                raise
            yield examined
