"""The archiver on records of the stream, made of what the API writes into moto's tables."""

import base64
import copy
import random
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters.dynamodb_item import item_bytes
from agent_memory.bootstrap import archive, counting, episodes
from agent_memory.domain import clusters
from agent_memory.domain.archived_episode import episodes_in
from agent_memory.entrypoints import archiver
from agent_memory.errors import StoreUnavailable
from agent_memory.service import noting
from tests.contract.archiving import FILL, noise
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

Item = dict[str, Any]
CONTEXT = SimpleNamespace(aws_request_id="r")
TIME_TO_LIVE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Stream:
    """Records as Lambda hands them over, numbered as they are made."""

    def __init__(self, aws: Aws, api: Edge, s3: "S3Client") -> None:
        self.aws, self.api, self.s3 = aws, api, s3
        self._client = aws.client()
        self._number = 100000000000000000000

    def items(self, kind: str = "EPISODE#") -> list[Item]:
        """What stands in the memory table."""
        found = self._client.call("Scan", {"TableName": self.aws.memory_table})["Items"]
        return sorted((item for item in found if item["sk"]["S"].startswith(kind)), key=lambda item: item["sk"]["S"])

    def write(self, count: int, agent: str = "planner", **fields: Any) -> list[Item]:
        """Episodes of an agent, as items."""
        before = {item["sk"]["S"] for item in self.items()}
        for _ in range(count):
            body = {"agent_id": agent, "session_id": "s", "type": "action", "content": noise()} | fields
            assert self.api.call("POST", "/v1/memory/episodic", body).status == 201
        return [item for item in self.items() if item["sk"]["S"] not in before]

    def record(self, name: str, old: Item | None, new: Item | None, by: Mapping[str, str] | None = None) -> Item:
        self._number += 1
        image: Item = new or old or {}
        told: Item = {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "SequenceNumber": str(self._number)}
        told |= {"SizeBytes": 300, "StreamViewType": "NEW_AND_OLD_IMAGES", "ApproximateCreationDateTime": 1.7e9}
        told |= ({"OldImage": old} if old else {}) | ({"NewImage": new} if new else {})
        made = {"eventID": f"e{self._number}", "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": told}
        return copy.deepcopy(made | ({"userIdentity": by} if by else {}))

    def inserts(self, items: Iterable[Item]) -> list[Item]:
        return [self.record("INSERT", None, item) for item in items]

    def deliver(self, *records: Item) -> list[str]:
        """Hand them over; the places that failed."""
        answer = archiver.handler({"Records": list(records)}, CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def archived(self, agent: str = "planner") -> list[str]:
        """Ids of the episodes in objects that rows lead to."""
        index, objects = archive.archive_index(), episodes.cold_objects()
        rows = index.overlapping(self.api.tenant_id, agent, None, None, newest_first=False)
        return [each.id for row in rows for each in episodes_in(objects.get(row.key) or b"")]

    def stored(self) -> set[str]:
        listed = self.s3.list_object_versions(Bucket=self.aws.bucket)
        return {each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))}

    def counted(self, name: str = "dynamo_bytes") -> int:
        return counting.counters(self.api.tenant_id).get(name, 0)


def ids(items: Iterable[Item]) -> list[str]:
    return [item["sk"]["S"].rpartition("#")[2] for item in items]


def places(records: Iterable[Item]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


@pytest.fixture
def stream(deployed: Edge, aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Stream:
    monkeypatch.setattr(clusters, "FULL_BYTES", 1000)
    monkeypatch.setattr(noting, "_LOOK_BYTES", 2000)
    return Stream(aws, deployed, s3)


def test_new_episodes_are_archived_and_then_marked(stream: Stream) -> None:
    items = stream.write(FILL, user_id="ana")

    assert stream.deliver(*stream.inserts(items)) == []

    assert stream.archived() == ids(items)
    assert all("evict_at" in item for item in stream.items())
    marked = [stream.record("MODIFY", old, new) for old, new in zip(items, stream.items(), strict=True)]
    assert stream.deliver(*marked) == []
    assert stream.archived() == ids(items)
    assert archive.archive_index().pending(stream.api.tenant_id, "planner") == []


def test_a_note_of_what_was_purged_meanwhile_does_not_stay_for_ever(stream: Stream) -> None:
    """The stream tells of an episode a minute later, and then nothing of the agent may ever come again."""
    (item,) = stream.write(1)

    stream.deliver(*stream.inserts([item]))

    (note,) = stream.items("PENDING#")
    kept_s = int(note["evict_at"]["N"]) - int(item["created_at"]["N"]) // 1_000_000
    assert kept_s == 40 * 24 * 3600


def test_agents_of_one_delivery_are_archived_apart(stream: Stream) -> None:
    names = ["planner", "critic", "a#b", "x" * 256]
    items = {agent: stream.write(FILL, agent) for agent in names}
    records = [record for each in items.values() for record in stream.inserts(each)]
    random.Random(1).shuffle(records)  # noqa: S311 - a seed, not a secret

    assert stream.deliver(*records) == []

    for agent in names:
        assert stream.archived(agent) == ids(items[agent])


def test_deliveries_that_come_twice_and_in_another_order_double_nothing(stream: Stream) -> None:
    items = stream.write(2 * FILL)
    records = stream.inserts(items)
    batches = [records[:5], records[5:11], records[11:]]

    for batch in (*reversed(batches), *batches, records[::-1]):
        assert stream.deliver(*batch) == []

    waiting = archive.archive_index().pending(stream.api.tenant_id, "planner")
    left = {key.position.id for each in waiting for key in each.keys}
    assert len(stream.archived()) >= FILL
    assert sorted([*stream.archived(), *(left - set(stream.archived()))]) == ids(items)


def test_what_expires_soon_and_what_is_no_episode_is_left_alone(stream: Stream) -> None:
    stream.api.call("POST", "/v1/state", {"agent_id": "planner", "session_id": "s", "data": {"a": 1}, "user_id": "u"})
    stream.write(1, timestamp="2020-01-01T00:00:00Z")
    stream.write(FILL, ttl_hours=5)
    others = [item for item in stream.items("") if not item["sk"]["S"].startswith("EPISODE#") or "evict_at" in item]
    assert len(others) > FILL + 1

    assert stream.deliver(*stream.inserts(others)) == []
    assert stream.deliver(*(stream.record("MODIFY", item, item) for item in others)) == []

    assert stream.archived() == []
    assert stream.items("PENDING#") == []


def test_a_poisoned_record_fails_alone(stream: Stream) -> None:
    items = stream.write(FILL)
    records = stream.inserts(items)
    poisons = [copy.deepcopy(records[0]) for _ in range(3)]
    poisons[0]["dynamodb"]["NewImage"]["body"] = {"B": base64.b64encode(b"\x1f\x8bbroken").decode()}
    poisons[1]["dynamodb"]["NewImage"].pop("body")
    poisons[2]["dynamodb"]["NewImage"]["sk"] = {"S": "EPISODE#yesterday#1"}
    for number, poison in enumerate(poisons):
        poison["dynamodb"]["SequenceNumber"] = f"9{number}"

    failed = stream.deliver(poisons[0], *records[:4], poisons[1], *records[4:], poisons[2])

    assert failed == ["90", "91", "92"]
    assert stream.archived() == ids(items)


def test_only_the_agents_that_failed_are_delivered_again(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    brief = stream.write(1, "brief", ttl_hours=1)
    good, bad = stream.write(FILL, "good"), stream.write(FILL, "bad")
    clock.turn(hours=2)
    gone = [stream.record("REMOVE", brief[0], None, TIME_TO_LIVE) for _ in range(2)]
    objects = episodes.cold_objects()
    put = objects.put_once

    def refuse(key: str, content: bytes) -> None:
        if "/bad/" in key:
            raise StoreUnavailable("away")
        put(key, content)

    bad_records = stream.inserts(bad)
    records = [gone[0], *stream.inserts(good), *bad_records, gone[1]]
    before = stream.counted()

    with monkeypatch.context() as refusing:
        refusing.setattr(objects, "put_once", refuse)
        assert stream.deliver(*records) == places(bad_records)

    assert (stream.archived("good"), stream.archived("bad")) == (ids(good), [])
    assert stream.counted() == before - item_bytes(brief[0]), "what stands after a failure is delivered again"
    assert stream.deliver(*bad_records) == []
    assert sorted(stream.archived("bad")) == ids(bad)
