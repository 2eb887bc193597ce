"""A sweep that dies goes on where it stopped; wherever that was, nothing is lost and the end is the same."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from agent_memory.domain.sweep import Progress, Sweep
from tests.contract.walks import an_episode
from tests.sweep_scene import WITHIN, Killed, Scene


def a_deployment() -> tuple[Scene, dict[str, set[str]]]:
    """Something to do for each step, and the ids that have to be there at the end, by agent."""
    scene = Scene()
    expected: dict[str, set[str]] = {"planner": set(), "critic": set()}
    for number in range(11):
        stays, lapses = an_episode("acme", scene.now()), an_episode("acme", scene.now(), ttl_hours=1)
        scene.archived(*[stays, lapses][: 2 if number % 4 == 0 else 1])
        expected["planner"].add(stays.id)
        scene.now.turn(hours=5)
    scene.an_object(1, agent="gone", ttl_hours=1)
    scene.objects.put_once("acme/planner/2026-11-10/nobody.jsonl.gz", b"x")
    scene.a_body("none")
    kept, lost = (scene.a_body(owner, agent="critic") for owner in ("kept", "lost"))
    owners = scene.with_body(kept, agent_id="critic"), scene.with_body(lost, agent_id="critic", ttl_hours=1)
    scene.archived(*owners)
    expected["critic"].add(owners[0].id)
    for agent in ("planner", "critic", "critic"):
        expected[agent].add(scene.write(agent).id)
    scene.scan.bodies.clear()
    scene.now.now += WITHIN + timedelta(hours=1)
    return scene, expected


def everything(scene: Scene) -> dict[str, list[str]]:
    return {agent: scene.cold(agent) for agent in ("planner", "critic", "gone")}


def kept_keys(scene: Scene) -> set[str]:
    rows = [row for agent in ("planner", "critic", "gone") for row in scene.rows(agent)]
    return {row.key for row in rows}.union(*(row.bodies for row in rows))


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
def test_killed_at_any_call_it_loses_nothing_and_ends_the_same(has_effect: bool) -> None:
    call = killed = 0
    while killed == call:
        call += 1
        scene, expected = a_deployment()
        with scene.killed_at(call, has_effect=has_effect) as was_killed:
            scene.sweep_fully()
        killed += was_killed()
        found = everything(scene)
        assert all(ids <= set(found[agent]) | hot(scene, agent) for agent, ids in expected.items()), "lost by the kill"

        scene.sweep_fully()
        scene.now.turn(days=1)
        scene.sweep_fully()

        ended = {"planner": 1, "critic": 2, "gone": 0}
        assert {agent: len(scene.rows(agent)) for agent in ended} == ended, call
        assert everything(scene) == {**{agent: sorted(ids) for agent, ids in expected.items()}, "gone": []}, call
        assert scene.stored() == kept_keys(scene), call
    assert killed > 50


def hot(scene: Scene, agent: str) -> set[str]:
    return {each.id for each in scene.episodes.all() if each.agent_id == agent}


def test_a_purge_at_any_moment_leaves_nothing_of_its_agent_and_all_of_the_others() -> None:
    call, was_purged = 0, True
    while was_purged:
        call += 1
        scene, expected = a_deployment()
        scene.fuse.meanwhile = call, lambda scene=scene: scene.purge("planner")
        scene.sweep_fully()
        was_purged = scene.fuse.calls >= call

        if was_purged:
            assert scene.rows("planner") == [], call
            assert not any(key.startswith("acme/planner/") for key in scene.stored()), call
        assert set(scene.cold("critic")) == expected["critic"], call
    assert call > 50


def test_it_goes_on_where_time_was_up_and_each_invocation_gets_further() -> None:
    scene, expected = a_deployment()
    places = []

    while (done := scene.sweep(parts=16)) is None or done.step is not None:
        assert (scene.place.kept, done) not in places
        places.append((scene.place.kept, done))

    assert len(places) > 1
    scene.sweep_fully()
    assert all(ids == set(everything(scene)[agent]) for agent, ids in expected.items())


def test_it_is_due_once_a_day_and_sooner_only_when_it_is_wanted() -> None:
    scene = Scene()
    began = []
    for _ in range(72):
        if done := scene.sweep(is_wanted=False):
            began.append(done.started_at)
        scene.now.turn(hours=1)

    assert [later - earlier for earlier, later in pairwise(began)] == [timedelta(days=1)] * 2
    assert scene.sweep(is_wanted=False) is not None
    assert scene.sweep(is_wanted=False) is None
    assert scene.sweep(is_wanted=True) is not None


def test_a_clock_that_was_wrong_keeps_no_sweep_away() -> None:
    scene = Scene()
    scene.now.turn(days=400)
    scene.sweep_fully()
    scene.now.turn(days=-400)

    assert scene.sweep(is_wanted=False) is not None


def test_of_two_sweeps_at_once_the_one_behind_ends_and_nothing_is_lost() -> None:
    scene, expected = a_deployment()
    scene.after_wait = meanwhile(scene)

    scene.sweep()
    scene.sweep_fully()
    scene.now.turn(days=1)
    scene.sweep_fully()

    assert {agent: set(ids) for agent, ids in everything(scene).items()} == {**expected, "gone": set()}
    assert scene.stored() == kept_keys(scene)


def meanwhile(scene: Scene) -> Any:
    """Another whole sweep, once."""

    def another() -> None:
        scene.after_wait = lambda: None
        scene.sweep_fully()

    return another


def test_a_place_that_another_sweep_has_passed_is_not_kept() -> None:
    scene = Scene()
    sweep = Sweep(scene.now())
    assert scene.place.keep(sweep, 0)

    assert not scene.place.keep(sweep, 0)
    assert scene.place.last() == (sweep, 1)


def test_what_comes_late_is_found_by_the_next_sweep() -> None:
    scene, _ = a_deployment()

    def writes() -> Iterator[None]:
        scene.an_object(2, timestamp=scene.now() - timedelta(days=200))
        yield

    coming = writes()
    scene.after_wait = lambda: next(coming, None)
    scene.sweep_fully()
    before = set(scene.cold())
    scene.now.turn(days=30)
    scene.an_object(2, timestamp=scene.now() - timedelta(days=230))
    scene.sweep_fully()

    assert before < set(scene.cold())
    assert sorted(set(scene.cold())) == scene.cold()


def test_the_steps_follow_one_another_and_their_counts_add_up() -> None:
    sweep = Sweep(Scene().now())
    for step in ("overdue", "expired", "small", "orphans"):
        assert sweep.step == step
        sweep = sweep.further(Progress("there", is_over=False), {"found": 1})
        assert (sweep.step, sweep.after) == (step, "there")
        sweep = sweep.further(Progress(None, is_over=True), {"found": 1})

    assert (sweep.step, sweep.after, sweep.counts) == (None, None, {"found": 8})


def test_a_kill_is_no_failure_that_is_passed_over() -> None:
    scene, _ = a_deployment()
    scene.fuse.at = (3, True)

    with pytest.raises(Killed):
        scene.sweep_fully()
