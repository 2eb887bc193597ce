"""Whether searches by vector still find what is nearest: a share of them is compared with the exact answer."""

from collections.abc import Callable

from agent_memory.domain.semantic_store import MemorySearch, MemoryStore
from agent_memory.errors import AgentMemoryError


class SearchCheck:
    """Looks at a share of the searches once they are answered; never fails one.

    `chance` draws a number from 0 up to 1. What is told is the part of the nearest that was found, and of nothing else.
    """

    def __init__(
        self, store: MemoryStore, share: float, chance: Callable[[], float], tell: Callable[[float], None]
    ) -> None:
        self._store = store
        self._share = share
        self._chance = chance
        self._tell = tell

    def after(self, tenant_id: str, search: MemorySearch) -> None:
        """Check a search, if it is one of those."""
        if search.vector is None or self._chance() >= self._share:
            return
        try:
            recall = self._store.recall(tenant_id, search)
        except AgentMemoryError:
            return  # too many to compare in the time, or the database is busy: it is no answer that anybody waits for
        if recall is not None:
            self._tell(recall)
