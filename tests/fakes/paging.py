"""Pages for stores that have none."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent

T = TypeVar("T")
PAGE_SIZE = 50


class Unlimited:
    """A budget that is never spent."""

    def spend(self) -> bool:
        return True

    def open_object(self) -> bool:
        return True

    def in_time(self) -> bool:
        return True


class Pages:
    """A budget of so many pages."""

    def __init__(self, pages: int) -> None:
        self._left = pages - 1  # the first page is free

    def spend(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def open_object(self) -> bool:
        return True

    def in_time(self) -> bool:
        return True


def paged(records: Iterable[T], budget: ScanBudget) -> Iterator[T]:
    """Yield records as a store would that reads 50 at a time."""
    for place, record in enumerate(records):
        if place and place % PAGE_SIZE == 0 and not budget.spend():
            raise ScanBudgetSpent
        yield record
