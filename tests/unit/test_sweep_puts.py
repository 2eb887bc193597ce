"""How often the archive is written to, sweeps counted."""

import random

import pytest

from agent_memory.domain.archive import Key
from agent_memory.domain.changes import Arrival
from agent_memory.domain.clusters import size_of
from tests.fakes.sweep import FakeBucket, FakeHotScan
from tests.sweep_scene import START, Scene

PAGE = 10_000


@pytest.mark.parametrize("times_a_day", [1, 24], ids=["in one go", "all day"])
def test_a_thousand_episodes_of_an_agents_month_take_ten_writes_at_most(times_a_day: int) -> None:
    """A hundredth of a write for each, where nothing but time fills an object."""
    scene, words = Scene(), random.Random(7)  # noqa: S311 - content
    scene.now.now = START.replace(day=1, hour=0, minute=0)
    scene.bucket, scene.scan = FakeBucket(scene.objects, PAGE), FakeHotScan(scene.episodes, PAGE)
    written = 0
    for _ in range(30 * times_a_day):
        for _ in range(1000 // (30 * times_a_day)):
            scene.now.turn(seconds=5)
            episode = scene.write(content=f"{words.getrandbits(2000):x}")
            written += 1
            if scene.archiving.note(
                "acme", "planner", [Arrival(Key(0, episode.position), size_of(episode), scene.now())]
            ):
                scene.archiving.flush("acme", "planner")
        scene.now.turn(hours=24 / times_a_day)
        scene.sweep(is_wanted=False)
    for _ in range(20):
        scene.now.turn(days=1)
        scene.sweep(is_wanted=False)

    assert len(scene.cold()) == written
    assert len(scene.rows()) <= 3
    assert scene.objects.puts <= written / 100
