"""What a sweep makes of small objects."""

from datetime import timedelta

import pytest

from agent_memory.domain.archive import FULL_BYTES
from tests.contract.walks import an_episode
from tests.sweep_scene import Scene

MONTH_LATER = {"days": 40}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_ten_small_objects_of_a_month_become_one_with_the_same_episodes(scene: Scene) -> None:
    rows = [scene.an_object() for _ in range(10)]
    before = scene.cold()

    done = scene.sweep_fully()

    assert scene.cold() == before
    assert len(scene.rows()) == 1
    assert done.counts["merged"] == 10
    assert scene.rows()[0].count == sum(row.count for row in rows)


def test_nine_wait_for_more_until_the_month_is_over_and_its_episodes_have_arrived(scene: Scene) -> None:
    for _ in range(9):
        scene.an_object()
    scene.sweep_fully()
    assert len(scene.rows()) == 9

    scene.now.turn(days=28)
    scene.sweep_fully()

    assert len(scene.rows()) == 1


def test_old_objects_go_when_they_are_a_day_old_and_no_row_leads_to_them(scene: Scene) -> None:
    rows = [scene.an_object() for _ in range(10)]
    scene.sweep_fully()
    young = {row.key for row in rows if row.archived_at > scene.now() - timedelta(days=1)}
    assert scene.stored() == young | {scene.rows()[0].key}

    scene.now.turn(days=1)
    scene.sweep_fully()

    assert scene.stored() == {scene.rows()[0].key}


def test_a_second_sweep_finds_nothing_to_do(scene: Scene) -> None:
    for _ in range(25):
        scene.an_object()
    scene.now.turn(days=1)
    scene.sweep_fully()
    rows, puts = scene.rows(), scene.objects.puts

    scene.now.turn(days=1)
    done = scene.sweep_fully()

    assert scene.rows() == rows
    assert scene.objects.puts == puts
    assert done.counts == {}


def test_duplicates_are_merged_away(scene: Scene) -> None:
    for _ in range(9):
        scene.an_object()
    before = scene.cold()
    episodes = [an_episode("acme", scene.now()) for _ in range(2)]
    scene.archived(*episodes)
    scene.archived(episodes[0])

    scene.sweep_fully()

    assert scene.cold() == sorted([*before, *(each.id for each in episodes)])


def test_what_is_part_of_another_object_is_dropped_without_a_new_one(scene: Scene) -> None:
    episodes = [an_episode("acme", scene.now()) for _ in range(3)]
    whole = scene.archived(*episodes)
    scene.archived(episodes[0])
    scene.archived(*episodes[1:])
    scene.now.turn(**MONTH_LATER)
    counted = whole.size

    scene.sweep_fully()

    assert [row.key for row in scene.rows()] == [whole.key]
    assert scene.cold() == sorted(each.id for each in episodes)
    assert scene.usage.get("acme")["s3_bytes"] == counted


def test_full_objects_are_not_touched(scene: Scene) -> None:
    text = "".join(f"{number * 7919 % 1_000_003:x}" for number in range(80_000))
    full = [scene.an_object(1, content=text) for _ in range(2)]
    assert all(row.size >= FULL_BYTES for row in full)
    scene.now.turn(**MONTH_LATER)

    scene.sweep_fully()

    assert scene.rows() == full


def test_no_object_crosses_a_month(scene: Scene) -> None:
    for _ in range(2):
        for _ in range(2):
            scene.an_object()
        scene.now.turn(days=28)
    scene.now.turn(days=60)

    scene.sweep_fully()

    assert [row.count for row in scene.rows()] == [4, 4]
    assert [row.first.time.month for row in scene.rows()] == [row.last.time.month for row in scene.rows()]


def test_late_episodes_of_a_full_month_are_merged_into_it(scene: Scene) -> None:
    for _ in range(3):
        scene.an_object()
    long_ago = scene.now()
    scene.now.turn(days=90)
    scene.sweep_fully()
    assert len(scene.rows()) == 1

    scene.an_object(timestamp=long_ago)
    scene.sweep_fully()

    assert [row.count for row in scene.rows()] == [8]


def test_agents_and_tenants_keep_theirs_apart(scene: Scene) -> None:
    whose = [("planner", "acme"), ("planner/2", "acme"), ("planner", "globex")]
    for agent, tenant in whose:
        for _ in range(10):
            scene.an_object(agent=agent, tenant=tenant)
    before = [scene.cold(*each) for each in whose]

    scene.sweep_fully()

    assert [scene.cold(*each) for each in whose] == before
    assert [len(scene.rows(*each)) for each in whose] == [1, 1, 1]


def test_usage_says_what_rows_lead_to(scene: Scene) -> None:
    for _ in range(12):
        scene.an_object()

    scene.sweep_fully()

    assert scene.usage.get("acme")["s3_bytes"] == sum(row.size for row in scene.rows())


def test_readers_who_began_before_still_find_what_they_were_told_of(scene: Scene) -> None:
    for _ in range(10):
        scene.an_object()
    told = scene.rows()
    seen: list[list[str]] = []
    scene.after_wait = lambda: seen.append(scene.cold())

    scene.sweep_fully()

    assert seen[0] == sorted(scene.cold() * 2), "while it waits, both rows lead to every episode"
    assert all(scene.objects.get(row.key) for row in told[2:]), "objects younger than a day stay"


def test_a_purge_between_the_two_parts_leaves_nothing(scene: Scene) -> None:
    for _ in range(10):
        scene.an_object()

    scene.after_wait = lambda: scene.purge("planner")
    scene.sweep_fully()

    assert scene.rows() == []
    assert scene.stored() == set()


@pytest.mark.parametrize("damage", [b"broken", None])
def test_an_object_that_is_not_what_it_was_is_left_alone_and_told_of(scene: Scene, damage: bytes | None) -> None:
    rows = [scene.an_object() for _ in range(11)]
    if damage is None:
        scene.objects.remove(rows[3].key)
    else:
        scene.objects.put_over(rows[3].key, damage)

    done = scene.sweep_fully()

    assert rows[3] in scene.rows()
    assert len(scene.rows()) == 2
    assert len(scene.reported) == done.counts["unreadable"] == 1
