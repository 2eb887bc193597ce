"""What the sweep looks at, in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime

from agent_memory.domain.archive import ORPHANED_AFTER, Key
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.sweep import Agent, Place, StoredVersion, Sweep, Unarchived
from tests.fakes.archive import FakeColdObjects
from tests.fakes.episodes import InMemoryEpisodeStore


class FakeSweepStore:
    """`SweepStore`."""

    def __init__(self) -> None:
        self.kept: Sweep | None = None
        self.revision = 0

    def last(self) -> tuple[Sweep | None, int]:
        return self.kept, self.revision

    def keep(self, sweep: Sweep, revision: int) -> bool:
        if revision != self.revision:
            return False
        self.kept, self.revision = sweep, revision + 1
        return True


class FakeHotScan:
    """`HotScan` over the episode store in memory; `bodies` is what records point to, by their names."""

    def __init__(self, store: InMemoryEpisodeStore, page: int = 3) -> None:
        self._store = store
        self._page = page
        self.bodies: dict[str, str] = {}

    def unarchived(self, written_by: datetime, after: str | None) -> tuple[Sequence[Unarchived], str | None]:
        later = [episode for episode in self._store.all() if after is None or episode.id > after][: self._page]
        found = [
            Unarchived(episode.tenant_id, episode.agent_id, Key(0, episode.position), episode.created_at)
            for episode in later
            if episode.created_at <= written_by and episode.id not in self._store.evict_at
        ]
        return found, later[-1].id if len(later) == self._page else None

    def bodies_of(self, owners: Sequence[str]) -> Sequence[str | None]:
        return [self.bodies.get(owner) for owner in owners]


class DatedColdObjects(FakeColdObjects):
    """`ColdObjects` that knows when each version was written."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.clock = clock
        self.written_at: dict[str, list[datetime]] = {}
        self.puts = 0

    def put_once(self, key: str, content: bytes) -> None:
        self.puts += 1
        if key not in self.versions or self.clock() - self.written_at[key][-1] > ORPHANED_AFTER / 2:
            self._write(key, content)

    def put_over(self, key: str, content: bytes) -> None:
        self.puts += 1
        self._write(key, content)

    def _write(self, key: str, content: bytes) -> None:
        self.versions.setdefault(key, []).append(content)
        self.written_at.setdefault(key, []).append(self.clock())

    def remove(self, key: str) -> int:
        self.written_at.pop(key, None)
        return super().remove(key)


class FakeBucket:
    """`Bucket` of dated objects, in small pages."""

    def __init__(self, objects: DatedColdObjects, page: int = 4) -> None:
        self._objects = objects
        self._page = page

    def agents(self, after: Agent | None, most: int) -> Sequence[Agent]:
        folders = {f"{place.agent.tenant_id}/{to_path(place.agent.agent_id)}/": place.agent for place in self._places()}
        last = after and f"{after.tenant_id}/{to_path(after.agent_id)}/"
        return [folders[folder] for folder in sorted(folders) if last is None or folder > last][:most]

    def versions(self, after: str | None) -> tuple[Sequence[StoredVersion], str | None]:
        found = [
            (StoredVersion(key, at.isoformat(), len(content), at), f"{key} {at.isoformat()}")
            for key, contents in sorted(self._objects.versions.items())
            for content, at in zip(contents, self._objects.written_at[key], strict=True)
        ]
        page = [(version, place) for version, place in found if after is None or place > after][: self._page]
        return [version for version, _ in page], page[-1][1] if len(page) == self._page else None

    def remove(self, versions: Sequence[StoredVersion]) -> None:
        for version in versions:
            dates = self._objects.written_at.get(version.key, [])
            if version.modified_at in dates:
                at = dates.index(version.modified_at)
                del dates[at], self._objects.versions[version.key][at]
                if not dates:
                    self._objects.remove(version.key)

    def _places(self) -> list[Place]:
        return [place for key in self._objects.versions if (place := Place.of(key))]
