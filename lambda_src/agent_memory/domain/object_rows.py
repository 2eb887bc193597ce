"""The index of the cold tier as a walk reads it: row by row, and no further than the walk comes."""

from collections.abc import Iterator
from typing import Protocol

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.episode import Position
from agent_memory.domain.scan import ScanBudget


class ObjectRows(Protocol):
    """Objects of an agent. Raises StoreUnavailable when the store does not answer."""

    def along(
        self,
        tenant_id: str,
        agent_id: str,
        low: Position | None,
        high: Position | None,
        *,
        newest_first: bool,
        budget: ScanBudget,
    ) -> Iterator[ArchivedObject]:
        """Yield the objects whose stretch touches [low, high] (None: no bound), the one that a walk meets first first:
        by their `last` when it begins with the newest, else by their `first`.

        A row that is dropped meanwhile is yielded, or the row of the object that took its place, or both.

        Raises:
            ScanBudgetSpent: more remain.
        """
