"""What belongs to nobody goes after a day, in all its versions, and nothing else does."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.walks import an_episode
from tests.sweep_scene import Scene

DAY = {"days": 1}
STRANGERS = [
    "!uploads/acme/x",
    "acme/planner/notes.txt",
    "acme/planner/2026-11-10/x.txt",
    "ACME/planner/2026-11-10/x.jsonl.gz",
]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_object_without_a_row_goes_after_a_day(scene: Scene) -> None:
    row = scene.an_object()
    orphan = "acme/planner/2026-11-10/nobody.jsonl.gz"
    scene.objects.put_once(orphan, b"x")
    scene.now.turn(hours=23)
    scene.sweep_fully()
    assert orphan in scene.stored()

    scene.now.turn(hours=1)
    done = scene.sweep_fully()

    assert scene.stored() == {row.key}
    assert done.counts["orphans"] == 1


def test_an_agent_whose_rows_cannot_be_read_keeps_no_sweep_from_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or no sweep would ever begin again, and what the archiver forgets would stay forgotten."""
    for agent in ("critic", "planner"):
        scene.objects.put_once(f"acme/{agent}/2026-11-10/nobody.jsonl.gz", b"x")
    scene.now.turn(**DAY)
    overlapping = scene.index.overlapping

    def poisoned(tenant_id: str, agent_id: str, *args: Any, **kwargs: Any) -> Any:
        if agent_id == "critic":
            raise KeyError
        return overlapping(tenant_id, agent_id, *args, **kwargs)

    monkeypatch.setattr(scene.index, "overlapping", poisoned)

    done = scene.sweep_fully()

    assert scene.stored() == {"acme/critic/2026-11-10/nobody.jsonl.gz"}
    assert (done.step, done.counts["orphans"]) == (None, 1)
    assert done.counts["failed"] > 0


def test_all_its_versions_go(scene: Scene) -> None:
    orphan = "acme/planner/2026-11-10/nobody.jsonl.gz"
    for content in (b"one", b"two", b"three"):
        scene.objects.put_over(orphan, content)
        scene.now.turn(minutes=1)
    scene.now.turn(**DAY)

    scene.sweep_fully()

    assert scene.stored() == set()


def test_a_version_that_somebody_has_just_written_stays(scene: Scene) -> None:
    """Its row may be on its way."""
    key = "acme/planner/2026-11-10/nobody.jsonl.gz"
    scene.objects.put_once(key, b"x")
    scene.now.turn(**DAY)
    scene.objects.put_once(key, b"x")

    scene.sweep_fully()

    assert scene.objects.get(key) == b"x"
    assert len(scene.objects.versions[key]) == 1


@pytest.mark.parametrize("key", STRANGERS)
def test_what_is_not_of_our_making_is_left_alone(scene: Scene, key: str) -> None:
    scene.objects.put_once(key, b"x")
    scene.now.turn(**DAY)

    scene.sweep_fully()

    assert key in scene.stored()


def test_a_large_value_stays_while_its_record_points_to_it_or_an_archived_one_does(scene: Scene) -> None:
    hot, cold, orphan, replaced = (scene.a_body(owner) for owner in ("hot", "cold", "none", "replaced"))
    scene.archived(scene.with_body(cold))
    scene.scan.bodies = {"hot": hot, "replaced": hot + "-newer"}
    scene.now.turn(hours=23)
    scene.sweep_fully()
    assert {hot, cold, orphan, replaced} <= scene.stored()

    scene.now.turn(**DAY)
    scene.sweep_fully()

    assert {hot, cold} <= scene.stored()
    assert not {orphan, replaced} & scene.stored()


def test_usage_hears_of_large_values_that_are_gone(scene: Scene) -> None:
    scene.a_body("none", b"x" * 1000)
    scene.scan.bodies.clear()
    scene.usage.add("acme", {"s3_bytes": 1000})
    scene.now.turn(**DAY)

    scene.sweep_fully()

    assert scene.usage.get("acme")["s3_bytes"] == 0


def test_a_large_value_whose_episode_moves_while_the_sweep_looks_stays(scene: Scene) -> None:
    """Archived, and evicted at once: records are asked before the index, so one of the two knows of it."""
    body = scene.a_body("record")
    episode = scene.with_body(body)
    scene.now.turn(**DAY)
    ask = scene.scan.bodies_of

    def ask_while_it_moves(owners: Any) -> Any:
        if body not in {key for row in scene.rows() for key in row.bodies}:
            scene.archived(episode)
            scene.scan.bodies.clear()
        return ask(owners)

    scene.scan.bodies_of = ask_while_it_moves  # type: ignore[method-assign]
    scene.sweep_fully()

    assert body in scene.stored()


def test_more_than_a_page_is_looked_through_and_a_sweep_goes_on_within(scene: Scene) -> None:
    orphans = [f"acme/a{number}/2026-11-10/nobody.jsonl.gz" for number in range(20)]
    for key in orphans:
        scene.objects.put_once(key, b"x")
    kept = [scene.an_object(agent=f"a{number}").key for number in range(9)]
    scene.now.turn(**DAY)

    invocations = 1
    while (done := scene.sweep(parts=12)) is None or done.step is not None:
        invocations += 1

    assert invocations > 2
    assert scene.stored() == set(kept)


def test_what_was_removed_before_it_could_be_read_back_is_written_anew(scene: Scene) -> None:
    """An archiver that comes back after days finds its object, and a sweep is about to remove it."""
    episodes = [an_episode("acme", scene.now()) for _ in range(2)]
    row = scene.archived(*episodes)
    scene.index.rows.clear()
    scene.now.turn(**DAY)
    content = scene.objects.get(row.key)
    assert content
    scene.objects.put_once(row.key, content)

    scene.sweep_fully()
    assert scene.index.swap([row], [], 0)

    assert scene.cold() == sorted(each.id for each in episodes)


def test_a_clock_that_went_back_deletes_nothing(scene: Scene) -> None:
    scene.objects.put_once("acme/planner/2026-11-10/nobody.jsonl.gz", b"x")
    scene.a_body("none")
    scene.scan.bodies.clear()
    before = scene.stored()

    scene.now.now -= timedelta(days=400)
    scene.sweep_fully()

    assert scene.stored() == before
