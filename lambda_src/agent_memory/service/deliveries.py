"""Deliveries of the memory table's stream: each may come twice, late, or in another order than it was written."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from agent_memory.domain.changes import Arrival, Change
from agent_memory.domain.ports import UsageStore
from agent_memory.service.archiving import Archiving
from agent_memory.service.owned_bodies import OwnedBodies

Record = Mapping[str, Any]


class Deliveries:
    """What the archiver does with the records of one delivery.

    `read` makes a change of a record; `on_failure` hears of what is to be delivered again, for the log.
    """

    def __init__(
        self,
        read: Callable[[Record], Change],
        archiving: Archiving,
        bodies: OwnedBodies,
        usage: UsageStore,
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._read = read
        self._archiving = archiving
        self._bodies = bodies
        self._usage = usage
        self._on_failure = on_failure

    def take(self, records: Sequence[Record]) -> list[str]:
        """Do what the records ask for: the places of those that failed, in order, to be delivered again.

        One that fails takes nobody along but the other new episodes of its agent.
        """
        failed: set[str] = set()
        changes = list(self._changes(records, failed))
        self._archive(changes, failed)
        self._remove_bodies(changes, failed)
        # Lambda delivers everything again from the first that failed, so nothing after that is taken off here.
        places = [record["dynamodb"]["SequenceNumber"] for record in records]
        first = next((place for place, name in enumerate(places) if name in failed), len(places))
        self._deduct([change for change in changes if change.place in set(places[:first])])
        return [place for place in places if place in failed]

    def _changes(self, records: Sequence[Record], failed: set[str]) -> Iterator[Change]:
        for record in records:
            with self._counted_as([record["dynamodb"]["SequenceNumber"]], failed):
                yield self._read(record)

    def _archive(self, changes: Sequence[Change], failed: set[str]) -> None:
        groups: dict[tuple[str, str], list[tuple[str, Arrival]]] = defaultdict(list)
        for change in changes:
            if change.arrival:
                groups[change.tenant_id, change.agent_id].append((change.place, change.arrival))
        for (tenant_id, agent_id), told in groups.items():
            with self._counted_as([place for place, _ in told], failed):
                if self._archiving.note(tenant_id, agent_id, [arrival for _, arrival in told]):
                    self._archiving.flush(tenant_id, agent_id)

    def _remove_bodies(self, changes: Sequence[Change], failed: set[str]) -> None:
        for change in changes:
            with self._counted_as([change.place], failed):
                size = self._bodies.settle(change.body_before, change.body_after, is_evicted=change.is_evicted)
                if size:
                    # At once: when it is delivered again there is nothing left to be removed.
                    self._count(change.tenant_id, {"s3_bytes": -size})

    def _deduct(self, changes: Sequence[Change]) -> None:
        """Last, since whatever failed before is delivered again."""
        freed: Counter[str] = Counter()
        for change in changes:
            freed[change.tenant_id] += change.freed_bytes
        for tenant_id, size in freed.items():
            if size:
                self._count(tenant_id, {"dynamo_bytes": -size})

    def _count(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """Rather too much stays counted than something is taken off twice: whatever goes wrong here fails nothing."""
        try:
            self._usage.add(tenant_id, counts)
        except Exception as exc:  # noqa: BLE001 - as above, a bug too
            self._on_failure(exc)

    @contextmanager
    def _counted_as(self, places: Sequence[str], failed: set[str]) -> Iterator[None]:
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - whatever it was, a bug too: it must not stop the others
            failed.update(places)
            self._on_failure(exc)
