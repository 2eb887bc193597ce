"""The newest episodes of agents, and answers that hold as much of several things as fits."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from agent_memory.domain.episode import Episode
from agent_memory.domain.json_document import RawJson
from agent_memory.domain.ports import EpisodeStore
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.domain.timeline import EpisodeQuery, Span
from agent_memory.service.large_values import LargeValues
from agent_memory.service.paging import MAX_PAGE_BYTES, PageBudget


class NewestEpisodes:
    """Reads within the budget of one request; `partial` once it could not read all that was asked for."""

    def __init__(self, store: EpisodeStore, now: datetime) -> None:
        self._store = store
        self._now = now
        self._budget = PageBudget()
        self.partial = False

    def of(self, tenant_id: str, agent_id: str, count: int) -> Iterator[Episode]:
        """Yield up to so many live episodes of an agent, the newest first."""
        span = Span(
            tenant_id=tenant_id,
            agent_id=agent_id,
            newest_first=True,
            walk_started_at=self._now,
            asked_at=self._now,
            page_size=EpisodeQuery(limit=count).page_size,
        )
        left = count
        try:
            for _, episode in self._store.timeline(span, self._budget):
                if episode is not None and episode.is_live(self._now):
                    yield episode
                    left -= 1
                if left == 0:
                    return
                if not self._budget.in_time():
                    break
            else:
                return
        except ScanBudgetSpent:
            pass
        self.partial = True

    def shown(self, tenant_id: str, agent_id: str, count: int, values: LargeValues) -> Iterator[Episode]:
        """The same with large values as an answer shows them."""
        opener = values.opener(self._budget)
        for episode in self.of(tenant_id, agent_id, count):
            try:
                opened = opener.open(episode)
            except ScanBudgetSpent:
                self.partial = True
                return
            yield opened


class Room:
    """What one answer holds; `is_full` once something did not fit."""

    def __init__(self) -> None:
        self._taken = 0
        self.is_full = False

    def take(self, items: Iterable[RawJson]) -> list[RawJson]:
        """The items that fit, up to the first one that does not; the first of all fits whatever its size."""
        taken: list[RawJson] = []
        for item in items:
            size = len(item.encode())
            if self.is_full or (self._taken and self._taken + size > MAX_PAGE_BYTES):
                self.is_full = True
                break
            self._taken += size
            taken.append(item)
        return taken
