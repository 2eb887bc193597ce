"""What stands in the archive bucket and belongs to nobody: what a crash left, and what others took the place of."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from agent_memory.domain.archive import ORPHANED_AFTER, ArchiveIndex
from agent_memory.domain.ports import UsageStore
from agent_memory.domain.sweep import Agent, Bucket, HotScan, Part, Place, Progress, StoredVersion
from agent_memory.errors import StoreUnavailable
from agent_memory.service.failures import Failures


class Orphans:
    """`SweepStep` that removes versions that are a day old, of objects and large values that nobody knows of."""

    def __init__(
        self,
        bucket: Bucket,
        index: ArchiveIndex,
        hot: HotScan,
        usage: UsageStore,
        failures: Failures,
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._index = index
        self._hot = hot
        self._usage = usage
        self._failures = failures
        self._clock = clock

    def advance(self, after: str | None, part: Part) -> Progress:
        """See `SweepStep.advance`; one page of versions."""
        versions, following = self._bucket.versions(after)
        for agent, old in self._by_agent(versions).items():
            with self._failures.spared(part):
                self._remove(agent, old, part)
        return Progress(following, is_over=following is None)

    def _remove(self, agent: Agent, old: Mapping[Place, Sequence[StoredVersion]], part: Part) -> None:
        orphans = self._orphans(agent, old.keys())
        gone = [version for place in orphans for version in old[place]]
        if not gone:
            return
        self._bucket.remove(gone)
        part.counts["orphans"] += len(gone)
        # Of large values whoever wrote them counted the bytes; of objects, whoever dropped their rows did.
        bodies = sum(version.size for place in orphans if place.owner for version in old[place])
        self._count(agent.tenant_id, -bodies)

    def _by_agent(self, versions: Iterable[StoredVersion]) -> dict[Agent, dict[Place, list[StoredVersion]]]:
        """Those old enough; what stands at no place of ours is left alone."""
        oldest = self._clock() - ORPHANED_AFTER
        found: dict[Agent, dict[Place, list[StoredVersion]]] = defaultdict(lambda: defaultdict(list))
        for version in versions:
            if version.modified_at <= oldest and (place := Place.of(version.key)):
                found[place.agent][place].append(version)
        return found

    def _orphans(self, agent: Agent, places: Collection[Place]) -> list[Place]:
        """Asks records first and the index after them: an episode gets its row before it leaves its record."""
        bodies = [place for place in places if place.owner is not None]
        pointed_to = set(self._hot.bodies_of([place.owner for place in bodies if place.owner is not None]))
        unknown = [place for place in places if place.key not in pointed_to]
        if not unknown:
            return []
        rows = self._index.overlapping(*agent, None, None, newest_first=False)
        known = {row.key for row in rows}.union(*(row.bodies for row in rows))
        return [place for place in unknown if place.key not in known]

    def _count(self, tenant_id: str, size: int) -> None:
        with suppress(StoreUnavailable):
            if size:
                self._usage.add(tenant_id, {"s3_bytes": size})
