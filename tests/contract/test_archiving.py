"""What the way into the cold tier promises, in memory and on DynamoDB and S3."""

import gzip

from tests.contract.archiving import FILL, Scene, of
from tests.contract.walks import Walk


def test_what_fills_no_object_waits_in_the_hot_tier(scene: Scene) -> None:
    written = scene.write(2)

    scene.deliver(written)

    assert scene.rows == []
    assert scene.pending() == [key for key, _ in written]
    assert scene.unmarked(written) == of(written)


def test_what_fills_an_object_is_in_it_as_it_was_written(scene: Scene) -> None:
    written = scene.write(user_id="ana", run_id="r", metadata={"k": "v"}, source={"kind": "tool", "id": "t"})

    scene.deliver(written)

    assert scene.objects() == [of(written)]
    assert scene.pending() == []
    assert scene.unmarked(written) == []
    (row,) = scene.rows
    assert (row.count, row.first, row.last) == (FILL, written[0][0].position, written[-1][0].position)
    assert row.key.startswith(f"{scene.tenant}/planner/2026-11-20/")
    assert row.key.endswith(".jsonl.gz")
    content = scene.cold.objects.get(row.key)
    assert content
    assert len(gzip.decompress(content).splitlines()) == FILL
    assert dict(scene.cold.stores.usage.get(scene.tenant)) == {"s3_bytes": len(content)}
    assert len(Walk(scene.cold.stores, scene.tenant, scene.clock).ids()) == FILL, "until it is evicted"


def test_deliveries_add_up_until_they_fill_an_object(scene: Scene) -> None:
    written = []
    for _ in range(FILL):
        assert scene.rows == []
        written += scene.write(1)
        scene.deliver(written[-1:])

    assert scene.archived() == of(written)[: len(scene.archived())]
    assert len(scene.archived()) >= FILL - 2


def test_what_has_waited_long_is_written_however_little_it_is(scene: Scene) -> None:
    old = scene.write(1)
    scene.deliver(old)
    scene.clock.turn(hours=71)
    scene.deliver(young := scene.write(1))
    assert scene.rows == []

    scene.clock.turn(hours=1)
    scene.deliver(newest := scene.write(1))

    assert scene.objects() == [of([*old, *young, *newest])]
    assert scene.pending() == []


def test_what_nobody_noted_can_be_archived_by_its_keys(scene: Scene) -> None:
    lost = scene.write(2)
    scene.clock.turn(days=3)

    assert scene.archiving().flush(scene.tenant, "planner", [key for key, _ in lost]) == 2

    assert scene.objects() == [of(lost)]
    assert scene.unmarked(lost) == []


def test_the_same_delivery_again_changes_nothing(scene: Scene) -> None:
    written = scene.write()
    scene.deliver(written)
    rows = scene.rows

    for _ in range(2):
        scene.deliver(written)
        scene.deliver(written[2:5])

    scene.clock.turn(days=4)
    scene.deliver(new := scene.write(1))
    assert scene.rows == rows
    assert scene.pending() == [key for key, _ in new]


def test_objects_of_an_agent_hold_nobody_elses(scene: Scene) -> None:
    written, others = scene.write(), scene.write(agent_id="critic")

    scene.deliver(written)

    assert scene.objects() == [of(written)]
    assert scene.cold.index.overlapping(scene.tenant, "critic", None, None, newest_first=True) == []
    assert others


def test_what_expired_before_it_was_archived_is_in_no_object_and_goes(scene: Scene) -> None:
    written = scene.write(2, ttl_hours=24 * 8)
    scene.deliver(written)
    scene.clock.turn(days=9)

    scene.deliver(newer := scene.write(1))

    assert scene.objects() == [] or scene.archived() == of(newer)
    assert scene.unmarked(written) == []
    assert set(scene.pending()) <= {key for key, _ in newer}
