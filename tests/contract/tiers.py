"""Episodes on their way from the hot tier to the cold one and back, step by step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.archived_episode import content_of, episodes_in, line
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode, Examined
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.timeline import Span
from agent_memory.errors import AgentMemoryError
from agent_memory.service.timeline import TieredEpisodes
from tests.contract.cold import Cold
from tests.contract.walks import an_episode
from tests.fakes.clock import Clock
from tests.fakes.paging import Unlimited


@dataclass
class Tiers:
    """What moves episodes, and the objects that it has committed."""

    cold: Cold
    reads: int = 0
    """How many objects were read."""
    looks: int = 0
    """How often the index was asked."""
    rows: list[ArchivedObject] = field(default_factory=list)

    @staticmethod
    def span(tenant: str, agent: str = "planner") -> tuple[Span, ScanBudget]:
        """All of an agent, the oldest first, as of some later day."""
        late = datetime(2100, 1, 1, tzinfo=UTC)
        return Span(tenant, agent, newest_first=False, walk_started_at=late, asked_at=late), Unlimited()

    def timeline(self) -> TieredEpisodes:
        return TieredEpisodes(self.cold.stores.episodes, self, lambda: self)

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        self.looks += 1
        return self.cold.rows.along(stretch, budget)

    def get(self, key: str) -> bytes | None:
        self.reads += 1
        return self.cold.objects.get(key)

    def put_once(self, key: str, content: bytes) -> None:
        self.cold.objects.put_once(key, content)

    def put_over(self, key: str, content: bytes) -> None:
        self.cold.objects.put_over(key, content)

    def remove(self, key: str) -> int:
        return self.cold.objects.remove(key)

    def archive(self, episodes: Iterable[Episode]) -> ArchivedObject:
        """Make one object of them and commit its row; they stay in the hot tier."""
        row = self.write(episodes)
        assert self.cold.index.swap([row], [], self.cold.index.epoch(row.tenant_id, row.agent_id))
        self.rows.append(row)
        return row

    def write(self, episodes: Iterable[Episode]) -> ArchivedObject:
        """Make one object of them, to which no row leads."""
        ordered = sorted(episodes, key=lambda each: each.position)
        content = content_of(map(line, ordered))
        epoch = self.cold.index.epoch(ordered[0].tenant_id, ordered[0].agent_id)
        row = describe(ordered, content, epoch, ordered[-1].created_at)
        self.cold.objects.put_once(row.key, content)
        return row

    def evict(self, episodes: Iterable[Episode]) -> None:
        """Take them out of the hot tier."""
        for each in episodes:
            self.cold.sweep(each)

    def compact(self, dropped: Sequence[ArchivedObject]) -> ArchivedObject:
        """Put one object in the place of several."""
        contents = [self.cold.objects.get(row.key) or b"" for row in dropped]
        episodes = {each.id: each for content in contents for each in episodes_in(content)}
        row = self.write(episodes.values())
        if row.key in {each.key for each in dropped}:
            return row
        assert self.cold.index.swap([row], dropped, self.cold.index.epoch(row.tenant_id, row.agent_id))
        for each in dropped:
            self.cold.objects.remove(each.key)
            self.rows.remove(each)
        self.rows.append(row)
        return row


def old_episodes(tenant: str, clock: Clock, count: int, **fields: Any) -> list[Episode]:
    """Two an hour until ten days ago, the oldest first."""
    newest = clock() - timedelta(days=10)
    return [
        an_episode(tenant, clock() - timedelta(days=90), timestamp=newest - timedelta(minutes=30 * number), **fields)
        for number in reversed(range(count))
    ]


def in_objects(tiers: Tiers, episodes: Sequence[Episode], size: int) -> None:
    for start in range(0, len(episodes), size):
        tiers.archive(episodes[start : start + size])


class MovedAtOnce:
    """`EpisodeStore` whose episodes are cold as soon as they are written, all or every other one; they are read as if
    days had gone by since, for so long an episode stays hot."""

    def __init__(self, tiers: Tiers, every: int) -> None:
        self._tiers = tiers
        self._every = every
        self._hot = tiers.cold.stores.episodes
        self._written = 0

    def owner(self, episode: Episode) -> str:
        return self._hot.owner(episode)

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        failures = self._hot.append(episodes, now)
        self._move([each for each, failure in zip(episodes, failures, strict=True) if failure is None])
        return failures

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        self._hot.append_answered(episode, now, answer)
        self._move([episode])

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        days = timedelta(days=3)
        late = replace(span, asked_at=span.asked_at + days, walk_started_at=span.walk_started_at + days)
        return self._tiers.timeline().timeline(late, budget)

    def _move(self, episodes: Sequence[Episode]) -> None:
        moving: dict[str, list[Episode]] = {}
        for each in episodes:
            self._written += 1
            if self._written % self._every == 0:
                moving.setdefault(each.agent_id, []).append(each)
        for agent in moving.values():
            self._tiers.archive(agent)
            self._tiers.evict(agent)
