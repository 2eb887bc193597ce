"""Episodes that nobody archived are archived by the sweep, and counted when that should not have been left to it."""

from datetime import timedelta

import pytest

from agent_memory.errors import StoreUnavailable
from tests.sweep_scene import WITHIN, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_waits_too_long_is_archived_and_marked(scene: Scene) -> None:
    episodes = [scene.write(agent) for agent in ("planner", "critic", "planner")]
    scene.now.now += WITHIN

    done = scene.sweep_fully()

    assert scene.cold("planner") == sorted([episodes[0].id, episodes[2].id])
    assert scene.cold("critic") == [episodes[1].id]
    assert set(scene.episodes.evict_at) == {each.id for each in episodes}
    assert done.counts["archived"] == 3


def test_what_may_still_wait_waits(scene: Scene) -> None:
    scene.write()
    scene.now.now += WITHIN - timedelta(seconds=1)

    done = scene.sweep_fully()

    assert scene.cold() == []
    assert done.counts == {}


def test_what_the_archiver_never_heard_of_is_counted_and_what_it_noted_is_not(scene: Scene) -> None:
    """A quiet agent's notes wait for the sweep; without a note the stream or the archiver must have stood still."""
    scene.note(scene.write(), scene.write("critic"))
    scene.write()
    scene.now.now += WITHIN

    assert scene.sweep_fully().counts["unarchived"] == 1
    scene.now.turn(days=1)
    assert scene.sweep_fully().counts == {}


def test_what_two_sweeps_could_not_move_is_counted_noted_or_not(scene: Scene) -> None:
    scene.note(scene.write())
    scene.now.now += WITHIN + timedelta(days=2)

    assert scene.sweep_fully().counts["unarchived"] == 1


def test_what_was_archived_a_moment_ago_is_not_counted(scene: Scene) -> None:
    """A scan may name it still."""
    episode = scene.write()
    scene.now.now += WITHIN
    stale = scene.scan.unarchived(scene.now(), None)
    scene.archiving.flush("acme", "planner", [found.key for found in stale[0]])
    scene.scan.unarchived = lambda *_: stale  # type: ignore[method-assign]

    assert scene.sweep_fully().counts.get("unarchived", 0) == 0
    assert scene.cold() == [episode.id]


def test_one_agent_that_fails_keeps_no_other_from_being_archived(scene: Scene) -> None:
    for agent in ("first", "poisoned", "last"):
        scene.write(agent)
    scene.now.now += WITHIN
    read = scene.hot.read

    def read_some(tenant_id: str, agent_id: str, keys: object) -> object:
        if agent_id == "poisoned":
            raise KeyError("no record of ours")
        return read(tenant_id, agent_id, keys)  # type: ignore[arg-type]

    scene.hot.read = read_some  # type: ignore[method-assign, assignment]
    done = scene.sweep_fully()

    assert (len(scene.cold("first")), len(scene.cold("last"))) == (1, 1)
    assert (done.counts["failed"], done.counts["archived"]) == (1, 2)
    assert [type(error) for error in scene.errors] == [KeyError]


def test_a_store_that_is_away_ends_the_sweep_where_it_is(scene: Scene) -> None:
    for number in range(6):
        scene.write(f"agent{number}")
    scene.now.now += WITHIN
    put = scene.objects.put_once

    def refuse(key: str, content: bytes) -> None:
        raise StoreUnavailable("the archive did not do its work")

    scene.objects.put_once = refuse  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        scene.sweep()
    scene.objects.put_once = put  # type: ignore[method-assign]

    assert scene.sweep_fully().counts["archived"] == 6
