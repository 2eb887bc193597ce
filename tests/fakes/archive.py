"""The cold tier in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter

from agent_memory.domain.archive import ArchivedObject, Key, Pending
from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.purge import Removed
from agent_memory.domain.scan import ScanBudget
from agent_memory.errors import Conflict
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.paging import paged

Agent = tuple[str, str]


class FakeArchiveIndex:
    """`ArchiveIndex` and `ObjectRows`, and the `AgentStore` of its rows."""

    def __init__(self) -> None:
        self.noted: dict[Agent, dict[str, Pending]] = {}
        self.rows: dict[Agent, dict[str, ArchivedObject]] = {}
        self.epochs: dict[Agent, int] = {}

    def note(self, tenant_id: str, agent_id: str, pending: Pending) -> None:
        self.noted.setdefault((tenant_id, agent_id), {})[pending.name] = pending

    def pending(self, tenant_id: str, agent_id: str) -> Sequence[Pending]:
        noted = self.noted.get((tenant_id, agent_id), {})
        return [noted[name] for name in sorted(noted)]

    def forget(self, tenant_id: str, agent_id: str, pending: Sequence[Pending]) -> None:
        for each in pending:
            self.noted.get((tenant_id, agent_id), {}).pop(each.name, None)

    def epoch(self, tenant_id: str, agent_id: str) -> int:
        return self.epochs.get((tenant_id, agent_id), 0)

    def begin_epoch(self, tenant_id: str, agent_id: str) -> None:
        self.epochs[tenant_id, agent_id] = self.epoch(tenant_id, agent_id) + 1

    def swap(self, added: Sequence[ArchivedObject], dropped: Sequence[ArchivedObject], epoch: int) -> bool:
        one = (*added, *dropped)[0]
        agent = one.tenant_id, one.agent_id
        rows = self.rows.setdefault(agent, {})
        if epoch != self.epoch(*agent):
            return False
        if any(row.key not in rows for row in dropped):
            return all(row.key in rows for row in added) and not any(row.key in rows for row in dropped)
        for row in dropped:
            del rows[row.key]
        rows.update({row.key: row for row in added})
        return True

    def overlapping(
        self, tenant_id: str, agent_id: str, low: Position | None, high: Position | None, *, newest_first: bool
    ) -> Sequence[ArchivedObject]:
        rows = self.rows.get((tenant_id, agent_id), {}).values()
        touching = [row for row in rows if (low is None or row.last >= low) and (high is None or row.first <= high)]
        if low is not None and high is not None and low > high:
            return []
        if newest_first:
            return sorted(touching, key=attrgetter("last", "first", "key"), reverse=True)
        return sorted(touching, key=attrgetter("first", "last", "key"))

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        rows = self.rows.get((stretch.tenant_id, stretch.agent_id), {}).values()
        touching = filter(stretch.touches, rows)
        yield from paged(sorted(touching, key=stretch.near_end, reverse=stretch.newest_first), budget)

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        self.begin_epoch(tenant_id, agent_id)
        agent = tenant_id, agent_id
        if count := len(self.noted.pop(agent, {})) + len(self.rows.pop(agent, {})):
            yield Removed({"other": count})


class FakeColdObjects:
    """`ColdObjects`, which keeps every version, and the `AgentStore` of them."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = {}

    def put_once(self, key: str, content: bytes) -> None:
        self.versions.setdefault(key, [content])

    def put_over(self, key: str, content: bytes) -> None:
        self.versions.setdefault(key, []).append(content)

    def get(self, key: str) -> bytes | None:
        return self.versions[key][-1] if key in self.versions else None

    def remove(self, key: str) -> int:
        return sum(map(len, self.versions.pop(key, [])))

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for key in [key for key in self.versions if key.startswith(f"{tenant_id}/{to_path(agent_id)}/")]:
            count = len(self.versions[key])
            yield Removed({"s3_objects": count}, s3_bytes=self.remove(key))


class FakeHotEpisodes:
    """`HotEpisodes` over the episode store in memory; `sweep` is what DynamoDB's TTL does."""

    def __init__(self, store: InMemoryEpisodeStore) -> None:
        self._store = store

    def read(self, tenant_id: str, agent_id: str, keys: Sequence[Key]) -> Sequence[tuple[Key, Episode]]:
        found = [(each, self._store.find(tenant_id, agent_id, each.position)) for each in dict.fromkeys(keys)]
        return [(each, episode) for each, episode in found if episode and episode.id not in self._store.evict_at]

    def evict(self, tenant_id: str, agent_id: str, keys: Sequence[tuple[Key, datetime]]) -> None:
        for each, evict_at in keys:
            if episode := self._store.find(tenant_id, agent_id, each.position):
                self._store.evict_at.setdefault(episode.id, evict_at)

    def sweep(self, now: datetime) -> list[Episode]:
        """Delete what is to be evicted by now."""
        return [self._store.drop(ulid) for ulid, evict_at in list(self._store.evict_at.items()) if evict_at <= now]


class FakeRehydratedEpisodes:
    """`RehydratedEpisodes` over the episode store in memory."""

    def __init__(self, store: InMemoryEpisodeStore, index: FakeArchiveIndex) -> None:
        self._store = store
        self._index = index

    def bring_back(
        self, tenant_id: str, agent_id: str, episodes: Sequence[tuple[Episode, datetime]], epoch: int
    ) -> tuple[int, int]:
        if self._index.epoch(tenant_id, agent_id) != epoch:
            raise Conflict("the agent was purged meanwhile")
        absent = [each for each, _ in episodes if not self._store.find(tenant_id, agent_id, each.position)]
        size = sum(map(self._store.restore, absent))
        for each, evict_at in episodes:
            self._store.evict_at[each.id] = max(evict_at, self._store.evict_at.get(each.id, evict_at))
        return len(absent), size
