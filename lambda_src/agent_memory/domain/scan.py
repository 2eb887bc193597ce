"""How much of a store one request may read."""

from typing import Protocol


class ScanBudget(Protocol):
    """Limits what one request may read; the first page of every stream is free, so that a walk moves on."""

    def spend(self) -> bool:
        """Take one more page of the store; False when none is left."""

    def open_object(self) -> bool:
        """Read one more object of the archive, or large value; False when none is left."""

    def in_time(self) -> bool:
        """Whether the request may work on, whatever it reads."""


class ScanBudgetSpent(Exception):
    """A walk stopped early; what it yielded so far stands."""


class NoBudget:
    """`ScanBudget` of an operator, who waits for the end."""

    def spend(self) -> bool:
        """Always."""
        return True

    def open_object(self) -> bool:
        """Always."""
        return True

    def in_time(self) -> bool:
        """Always."""
        return True
