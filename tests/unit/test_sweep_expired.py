"""What has lapsed leaves the cold tier within seven days, and nothing else does."""

from datetime import timedelta

import pytest

from tests.contract.walks import an_episode
from tests.sweep_scene import Scene

DAY = timedelta(days=1)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def mixed(scene: Scene, ttl_days: int = 10) -> tuple[str, str]:
    """One object, of an episode that stays and one that lapses: their ids."""
    stays, lapses = an_episode("acme", scene.now()), an_episode("acme", scene.now(), ttl_hours=24 * ttl_days)
    scene.archived(stays, lapses)
    return stays.id, lapses.id


def test_what_has_lapsed_leaves_its_object_and_what_lives_stays(scene: Scene) -> None:
    stays, lapses = mixed(scene)
    scene.now.turn(days=14, hours=23)
    scene.sweep_fully()
    assert scene.cold() == sorted([stays, lapses])

    scene.now.turn(hours=1)
    done = scene.sweep_fully()

    assert scene.cold() == [stays]
    assert done.counts["expired"] == 1
    assert scene.stored() == {scene.rows()[0].key}
    assert scene.usage.get("acme")["s3_bytes"] == scene.rows()[0].size


def test_with_a_sweep_a_day_it_is_gone_from_disk_within_seven_days(scene: Scene) -> None:
    _, lapses = mixed(scene)
    old = scene.stored()
    expires_at = scene.now() + 10 * DAY
    while lapses in scene.cold() or old & scene.stored():
        scene.now.turn(hours=1)
        scene.sweep(is_wanted=False)

    assert expires_at + 4 * DAY < scene.now() < expires_at + 7 * DAY


def test_an_object_of_which_all_has_lapsed_goes_with_its_row(scene: Scene) -> None:
    scene.an_object(3, ttl_hours=24)
    scene.now.turn(days=7)

    scene.sweep_fully()

    assert scene.rows() == []
    assert scene.stored() == set()
    assert scene.usage.get("acme")["s3_bytes"] == 0


def test_all_that_has_lapsed_by_then_goes_at_once(scene: Scene) -> None:
    """Not an object written for each record."""
    stays = an_episode("acme", scene.now())
    lapsing = [an_episode("acme", scene.now(), ttl_hours=24 * days) for days in range(10, 15)]
    scene.archived(stays, *lapsing)
    scene.now.turn(days=15)

    scene.sweep_fully()

    assert scene.cold() == [stays.id]
    assert scene.objects.puts == 2


def test_what_lapsed_within_the_last_day_stays_for_the_next_time(scene: Scene) -> None:
    """A clock that is some hours wrong removes nothing that lives."""
    first, second = (an_episode("acme", scene.now(), ttl_hours=hours) for hours in (24 * 10, 24 * 15 - 23))
    scene.archived(first, second)
    scene.now.turn(days=15)

    scene.sweep_fully()

    assert scene.cold() == [second.id]


def test_a_large_value_goes_with_the_record_that_owned_it(scene: Scene) -> None:
    body = scene.a_body("record")
    stays_body = scene.a_body("another")
    scene.scan.bodies.clear()  # evicted from the hot tier
    scene.archived(scene.with_body(body, ttl_hours=24), scene.with_body(stays_body))
    scene.now.turn(days=5)
    scene.sweep_fully()
    assert {body, stays_body} <= scene.stored()

    scene.now.turn(days=2)
    scene.sweep_fully()

    assert body not in scene.stored()
    assert stays_body in scene.stored()


def test_a_large_value_stays_as_long_as_the_hot_tier_points_to_it(scene: Scene) -> None:
    body = scene.a_body("record")
    scene.archived(scene.with_body(body, ttl_hours=24))
    scene.now.turn(days=8)
    scene.sweep_fully()
    assert (scene.rows(), body in scene.stored()) == ([], True)

    scene.scan.bodies.clear()
    scene.sweep_fully()

    assert body not in scene.stored()


def test_a_tenants_retention_reaches_what_was_written_before_it(scene: Scene) -> None:
    scene.an_object(2)
    scene.an_object(2, tenant="globex")
    scene.retention["acme"] = 30 * DAY
    scene.now.turn(days=34)
    scene.sweep_fully()
    assert len(scene.cold()) == 2

    scene.now.turn(days=2)
    scene.sweep_fully()

    assert scene.rows() == []
    assert len(scene.cold(tenant="globex")) == 2


def test_a_clock_that_went_back_deletes_nothing(scene: Scene) -> None:
    body = scene.a_body("record")
    scene.archived(scene.with_body(body, ttl_hours=24 * 3))
    scene.an_object(2, ttl_hours=24 * 3)
    before = scene.cold(), scene.stored()
    scene.scan.bodies.clear()
    scene.retention["acme"] = 2 * DAY

    scene.now.turn(days=-400)
    scene.sweep_fully()

    assert (scene.cold(), scene.stored()) == before


def test_a_purge_between_the_two_parts_leaves_nothing(scene: Scene) -> None:
    mixed(scene)
    scene.now.turn(days=20)

    scene.after_wait = lambda: scene.purge("planner")
    scene.sweep_fully()

    assert (scene.rows(), scene.stored()) == ([], set())


def test_a_purge_before_the_new_object_is_committed_leaves_nothing(scene: Scene) -> None:
    """What was read before the purge may not come back by it."""
    mixed(scene)
    scene.now.turn(days=20)
    put, did = scene.objects.put_once, list[str]()

    def put_after_a_purge(key: str, content: bytes) -> None:
        if not did:
            did.append(key)
            scene.purge("planner")
        put(key, content)

    scene.objects.put_once = put_after_a_purge  # type: ignore[method-assign]
    scene.sweep_fully()

    assert (scene.rows(), scene.stored()) == ([], set())
