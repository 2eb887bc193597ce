"""An agent's way into the cold tier."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent_memory.domain.archive import ColdObjects, Key
from agent_memory.domain.archived_episode import episodes_in
from agent_memory.domain.changes import Arrival
from agent_memory.domain.clusters import size_of
from agent_memory.domain.episode import Episode
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.ports import AgentStore
from agent_memory.service.archiving import Archiving, Pace
from agent_memory.service.purge import Purge
from tests.contract.cold import Cold
from tests.fakes.clock import Clock

PACE = Pace(timedelta(days=7), timedelta(days=3))
FILL = 8
"""How many episodes fill an object in these tests."""


def noise() -> str:
    """What does not compress."""
    return os.urandom(100).hex()


def of(written: Iterable[tuple[Key, Episode]]) -> list[Episode]:
    return [episode for _, episode in written]


@dataclass
class Scene:
    """One agent's way into the cold tier; told of what DynamoDB's stream would tell."""

    cold: Cold
    tenant: str
    clock: Clock

    def write(self, count: int = FILL, **fields: Any) -> list[tuple[Key, Episode]]:
        """Acknowledged episodes, each a second after the one before."""
        return [
            self.cold.append(self.tenant, self.clock.turn(seconds=1), content=noise(), **fields) for _ in range(count)
        ]

    def archiving(self, cold: Cold | None = None, objects: ColdObjects | None = None) -> Archiving:
        cold = cold or self.cold
        return Archiving(cold.index, objects or cold.objects, cold.hot, cold.stores.usage, PACE, self.clock)

    def arrivals(self, written: Iterable[tuple[Key, Episode]]) -> list[Arrival]:
        return [Arrival(key, size_of(episode), episode.created_at) for key, episode in written]

    def deliver(self, written: Iterable[tuple[Key, Episode]], archiving: Archiving | None = None) -> None:
        archiving = archiving or self.archiving()
        if archiving.note(self.tenant, "planner", self.arrivals(written)):
            archiving.flush(self.tenant, "planner")

    def purge(self, legs: Sequence[AgentStore] | None = None) -> None:
        stores = self.cold.stores
        Purge({}, legs or self.cold.purged, stores.idempotency, stores.tally, self.clock).run(
            self.tenant, "planner", Attempt()
        )

    @property
    def rows(self) -> list[Any]:
        return list(self.cold.index.overlapping(self.tenant, "planner", None, None, newest_first=False))

    def objects(self) -> list[list[Episode]]:
        """What the objects hold that rows lead to."""
        read = [self.cold.objects.get(row.key) for row in self.rows]
        return [list(episodes_in(content)) for content in read if content is not None]

    def archived(self) -> list[Episode]:
        return [each for held in self.objects() for each in held]

    def unmarked(self, written: Iterable[tuple[Key, Episode]]) -> list[Episode]:
        return [each for _, each in self.cold.hot.read(self.tenant, "planner", [key for key, _ in written])]

    def pending(self) -> list[Key]:
        return [key for each in self.cold.index.pending(self.tenant, "planner") for key in each.keys]
