"""The index of the cold tier as a walk reads it: row by row, and no further than the walk comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.episode import Position
from agent_memory.domain.scan import ScanBudget


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of an agent's timeline, between two positions that belong to it (None: no bound)."""

    tenant_id: str
    agent_id: str
    low: Position | None
    high: Position | None
    newest_first: bool

    def touches(self, row: ArchivedObject) -> bool:
        """Whether an object may hold something of it."""
        return (self.low is None or row.last >= self.low) and (self.high is None or row.first <= self.high)

    def near_end(self, row: ArchivedObject) -> Position:
        """The end of an object's stretch that a walk meets first."""
        return row.last if self.newest_first else row.first


class ObjectRows(Protocol):
    """Objects of agents. Raises StoreUnavailable when the store does not answer."""

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        """Yield every object that touches the stretch, by their near ends in the order of the walk.

        While objects take the place of others, those may be yielded or these, or both.

        Raises:
            ScanBudgetSpent: more remain.
        """
