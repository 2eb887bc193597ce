"""Tiers in which something moves at every step of a read: between pages, and between the calls within one."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from agent_memory.domain.archive import LEAST_HOT, ArchivedObject
from agent_memory.domain.episode import Episode, Examined
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.timeline import Span
from agent_memory.errors import AgentMemoryError
from agent_memory.service.timeline import TieredEpisodes
from tests.contract.cold import Cold
from tests.contract.tiers import Tiers
from tests.fakes.paging import Unlimited

HOT_PAGE = 7


@dataclass
class MovingTiers:
    """`EpisodeStore`, hot store, `ObjectRows` and `ColdObjects`; each step of them may move episodes.

    `movable` are in the hot tier and may be archived; `archived` are there and in an object; `cold` in an object only.
    What is too young is never evicted.
    """

    cold_tier: Cold
    chance: random.Random
    liveliness: float
    acknowledged: list[Episode]
    now: datetime

    def __post_init__(self) -> None:
        self.tiers = Tiers(self.cold_tier)
        self.store = self.cold_tier.stores.episodes
        self.movable = list(self.acknowledged)
        self.archived: list[Episode] = []
        self.cold: list[Episode] = []

    # The hot store, read page by page as DynamoDB is, and by an index that names records which are gone.

    def owner(self, episode: Episode) -> str:
        return self.store.owner(episode)

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        return self.store.append(episodes, now)

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        self.store.append_answered(episode, now, answer)

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        number = 0
        while True:
            self.move()
            if number and not budget.spend():
                raise ScanBudgetSpent
            named = [position for position, _ in islice(self.store.timeline(span, Unlimited()), HOT_PAGE)]
            if span.session_id or span.user_id or span.run_id:
                self.move()
            there = dict(self.store.timeline(span, Unlimited()))
            yield from ((position, there.get(position)) for position in named)
            if len(named) < HOT_PAGE:
                return
            span, number = replace(span, after=named[-1]), number + 1

    # The cold tier.

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        self.move()
        for row in list(self.cold_tier.rows.along(stretch, budget)):
            self.move()
            yield row

    def get(self, key: str) -> bytes | None:
        self.move()
        return self.tiers.get(key)

    def put_once(self, key: str, content: bytes) -> None:
        self.tiers.put_once(key, content)

    def put_over(self, key: str, content: bytes) -> None:
        self.tiers.put_over(key, content)

    def remove(self, key: str) -> int:
        return self.tiers.remove(key)

    def both(self) -> TieredEpisodes:
        return TieredEpisodes(self, self, lambda: self)

    def move(self) -> None:
        if self.chance.random() < self.liveliness:
            moves = [self._archive, self._archive_and_evict, self._evict, self._compact, self._bring_back]
            self.chance.choice(moves)()

    def _archive(self) -> list[Episode]:
        some = self._some(self.movable)
        if some:
            self.tiers.archive([*some, *self._some(self.archived)[:2]])  # as an archiver does that was killed before
            self.movable = [each for each in self.movable if each not in some]
            self.archived += some
        return some

    def _archive_and_evict(self) -> None:
        some = self._archive()
        self._leave(some)

    def _evict(self) -> None:
        self._leave(self._some(self.archived))

    def _leave(self, archived: list[Episode]) -> None:
        some = [each for each in archived if each.timestamp < self.now - LEAST_HOT]
        self.tiers.evict(some)
        self.archived = [each for each in self.archived if each not in some]
        self.cold += some

    def _compact(self) -> None:
        if len(self.tiers.rows) >= 2:
            self.tiers.compact(self.chance.sample(self.tiers.rows, 2))

    def _bring_back(self) -> None:
        some = self._some(self.cold)[:3]
        self.store.append(some, datetime.now(UTC))
        self.cold = [each for each in self.cold if each not in some]
        self.archived += some

    def _some(self, episodes: list[Episode]) -> list[Episode]:
        count = self.chance.randint(0, min(len(episodes), 20))
        return self.chance.sample(episodes, count)
