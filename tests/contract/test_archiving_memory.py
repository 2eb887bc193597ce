"""What an agent's way into the cold tier holds at once, however it writes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent_memory.domain.archive import Key
from agent_memory.domain.clusters import size_of
from agent_memory.domain.episode import Episode
from agent_memory.domain.notes import MOST_BYTES
from agent_memory.service import archiving
from tests.contract.archiving import Scene, of

CONTENT = "a" * 900_000
"""A kilobyte in a record."""


class Watched:
    """`HotEpisodes` that knows the most that was read before something was marked."""

    def __init__(self, scene: Scene) -> None:
        self._hot = scene.cold.hot
        self._held = self.most = 0

    def read(self, tenant_id: str, agent_id: str, keys: Sequence[Key]) -> Sequence[tuple[Key, Episode]]:
        found = self._hot.read(tenant_id, agent_id, keys)
        self._held += sum(size_of(episode) for _, episode in found)
        self.most = max(self.most, self._held)
        return found

    def evict(self, tenant_id: str, agent_id: str, keys: Sequence[tuple[Key, object]]) -> None:
        self._held = 0
        self._hot.evict(tenant_id, agent_id, keys)  # type: ignore[arg-type]


def test_a_delivery_of_what_compresses_well_is_archived_in_parts(scene: Scene) -> None:
    watched = Watched(scene)
    written = [scene.cold.append(scene.tenant, scene.clock.turn(seconds=1), content=CONTENT) for _ in range(30)]

    scene.deliver(written, scene.archiving(replace(scene.cold, hot=watched)))

    assert watched.most <= MOST_BYTES
    assert scene.archived() == of(written)
    assert scene.pending() == []


def test_so_is_what_nobody_noted(scene: Scene) -> None:
    watched = Watched(scene)
    written = [scene.cold.append(scene.tenant, scene.clock.turn(seconds=1), content=CONTENT) for _ in range(30)]
    scene.clock.turn(days=4)

    done = scene.archiving(replace(scene.cold, hot=watched)).flush(scene.tenant, "planner", [key for key, _ in written])

    assert done == 30
    assert watched.most <= 2 * MOST_BYTES
    assert scene.archived() == of(written)


def test_notes_of_an_agent_that_writes_a_little_all_the_time_stay_few(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "_LOOK_BYTES", 1_000_000)
    written, most = [], 0
    for _ in range(120):
        written += [scene.cold.append(scene.tenant, scene.clock.turn(seconds=60))]
        scene.deliver(written[-1:])
        most = max(most, len(scene.cold.index.pending(scene.tenant, "planner")))

    assert most < 60
    assert sorted(scene.pending()) == sorted(key for key, _ in written)
    waiting = scene.cold.index.pending(scene.tenant, "planner")
    assert sum(each.size for each in waiting) == sum(size_of(each) for each in of(written))
    assert min(each.oldest for each in waiting) == written[0][1].created_at
