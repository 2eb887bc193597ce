"""What the archiver does about records that are gone: their large values, and what usage counted for them."""

from typing import TYPE_CHECKING

import pytest

from agent_memory.adapters.dynamodb_item import item_bytes, owner_of
from agent_memory.bootstrap import counting, episodes
from agent_memory.domain.bodies import bodies_of, new_key
from tests.aws.test_archiver import TIME_TO_LIVE, Item, Stream
from tests.contract.archiving import FILL
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@pytest.fixture
def stream(deployed: Edge, aws: Aws, s3: "S3Client") -> Stream:
    return Stream(aws, deployed, s3)


def owning(stream: Stream, item: Item, key: str) -> Item:
    """The item as the owner of a large value, which is there."""
    stream.s3.put_object(Bucket=stream.aws.bucket, Key=key, Body=b"12345")
    return item | {"body_key": {"S": key}}


def archive(stream: Stream, clock: Clock, items: list[Item]) -> list[Item]:
    """Let the archiver take them; the items as they stand in the table then."""
    clock.turn(days=8)
    assert stream.deliver(*stream.inserts(items)) == []
    assert stream.archived()
    return stream.items()


def test_what_expired_is_taken_off_the_counter_once_dynamodb_removed_it(stream: Stream) -> None:
    brief, other = stream.write(2, ttl_hours=1)
    size = stream.counted()
    assert size >= item_bytes(brief)

    assert stream.deliver(stream.record("REMOVE", brief, None, TIME_TO_LIVE)) == []
    assert stream.counted() == size - item_bytes(brief)

    by_somebody = stream.record("REMOVE", other, None)
    assert stream.deliver(by_somebody) == []
    assert stream.counted() == size - item_bytes(brief), "whoever deletes a record counts that"


def test_an_evicted_episode_is_taken_off_as_it_was_counted(stream: Stream, clock: Clock) -> None:
    items = stream.write(FILL)
    size = sum(map(item_bytes, items))
    before = stream.counted()
    marked = archive(stream, clock, items)
    assert sum(map(item_bytes, marked)) > size

    assert stream.deliver(*(stream.record("REMOVE", item, None, TIME_TO_LIVE) for item in marked)) == []

    assert stream.counted() == before - size


def test_an_expired_state_is_taken_off_too_but_no_markers(stream: Stream) -> None:
    body = {"agent_id": "planner", "session_id": "s", "data": {"a": 1}, "ttl_hours": 1}
    assert stream.api.call("POST", "/v1/state", body).status == 201
    stream.write(1, timestamp="2020-01-01T00:00:00Z")
    (state,), (marker, *_) = stream.items("SESSION#"), stream.items("LATE#")
    before = stream.counted()

    assert stream.deliver(stream.record("REMOVE", marker, None, TIME_TO_LIVE)) == []
    assert stream.counted() == before
    assert stream.deliver(stream.record("REMOVE", state, None, TIME_TO_LIVE)) == []
    assert stream.counted() == before - item_bytes(state)


def test_counters_that_cannot_be_reached_fail_nothing(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    (brief,) = stream.write(1, ttl_hours=1)
    monkeypatch.setattr(counting.usage_store(), "_table", "another")

    assert stream.deliver(stream.record("REMOVE", brief, None, TIME_TO_LIVE)) == []


@pytest.mark.parametrize("kind", ["EPISODE#", "SESSION#", "RUN", "TOOL#c"])
def test_a_value_goes_with_the_version_that_owned_it(stream: Stream, kind: str) -> None:
    (item,) = stream.write(1)
    item |= {"sk": {"S": kind}} if not kind.startswith("EPISODE") else {}
    first, second = owning(stream, item, "acme/p/bodies/1"), owning(stream, item, "acme/p/bodies/2")

    assert stream.deliver(stream.record("MODIFY", item, first), stream.record("MODIFY", first, first)) == []
    assert stream.stored() == {"acme/p/bodies/1", "acme/p/bodies/2"}
    assert stream.deliver(stream.record("MODIFY", first, second)) == []
    assert stream.stored() == {"acme/p/bodies/2"}
    assert stream.deliver(stream.record("REMOVE", second, None)) == []
    assert stream.stored() == set()
    assert stream.counted("s3_bytes") == -10


def test_a_value_goes_when_its_record_has_expired(stream: Stream) -> None:
    (item,) = stream.write(1, ttl_hours=1)
    owner = owning(stream, item, "acme/p/bodies/1")

    for _ in range(2):
        assert stream.deliver(stream.record("REMOVE", owner, None, TIME_TO_LIVE)) == []

    assert stream.stored() == set()
    assert stream.counted("s3_bytes") == -5


@pytest.mark.parametrize("ttl_hours", [None, 24 * 30, 24 * 15, 24 * 15 - 1, 24 * 15 + 1])
def test_an_archived_episode_that_is_evicted_keeps_its_value(
    stream: Stream, clock: Clock, ttl_hours: float | None
) -> None:
    items = stream.write(1, ttl_hours=ttl_hours)
    (marked,) = archive(stream, clock, items)
    owner = owning(stream, marked, "acme/p/bodies/1")

    assert stream.deliver(stream.record("REMOVE", owner, None, TIME_TO_LIVE)) == []
    assert "acme/p/bodies/1" in stream.stored()

    assert stream.deliver(stream.record("REMOVE", owner, None)) == [], "somebody deleted it"
    assert "acme/p/bodies/1" not in stream.stored()


def test_a_value_that_could_not_be_removed_is_delivered_again(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    (item,) = stream.write(1)
    owner = owning(stream, item, "acme/p/bodies/1")
    record = stream.record("REMOVE", owner, None)

    with monkeypatch.context() as away:
        away.setattr(episodes.cold_objects(), "_bucket", "another")
        assert stream.deliver(record) == [record["dynamodb"]["SequenceNumber"]]
    assert stream.deliver(record) == []
    assert stream.stored() == set()


def test_a_value_to_which_its_record_points_again_stays(stream: Stream) -> None:
    """A batch was sent anew after a purge, of which the stream tells late."""
    (item,) = stream.write(1)
    folder = bodies_of(stream.api.tenant_id, "planner", "episode", owner_of(item))
    owner = owning(stream, item, new_key(folder))
    client, table = stream.aws.client(), stream.aws.memory_table
    client.call("PutItem", {"TableName": table, "Item": owner})

    assert stream.deliver(stream.record("REMOVE", owner, None)) == []
    assert owner["body_key"]["S"] in stream.stored()

    client.call("PutItem", {"TableName": table, "Item": item})
    assert stream.deliver(stream.record("MODIFY", owner, item)) == []
    assert owner["body_key"]["S"] not in stream.stored()
