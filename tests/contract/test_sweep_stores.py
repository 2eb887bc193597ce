"""What the sweep's stores promise, in memory and on the protocols of DynamoDB and S3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters.dynamodb_item import owner_of, text
from agent_memory.adapters.dynamodb_sweep import DynamoHotScan, DynamoSweepStore
from agent_memory.adapters.s3_sweep import S3Bucket
from agent_memory.domain.archive import ColdObjects
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.sweep import Agent, Bucket, HotScan, StoredVersion, Sweep, SweepStore, Unarchived
from tests.contract.cold import Cold, cold_in_memory, cold_on_aws, key_of
from tests.fakes.clock import Clock
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.sweep import DatedColdObjects, FakeBucket, FakeHotScan, FakeSweepStore
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

ITEM = {"pk": text("acme#planner#0"), "sk": text("SESSION#s")}
OTHER = {"pk": text("acme#planner#0"), "sk": text("SESSION#t")}
AGENTS = [Agent("acme", name) for name in ("a", "a/b", "a-b", "a.b", "é" * 100)] + [
    Agent("acme-2", "a"),
    Agent("b", "z"),
]


@dataclass
class Swept:
    """What a sweep reaches; `point` makes a record point to a large value."""

    cold: Cold
    objects: ColdObjects
    place: SweepStore
    scan: HotScan
    bucket: Bucket
    point: Callable[[dict[str, Any], str], object]


@pytest.fixture(params=["memory", "aws"])
def swept(request: pytest.FixtureRequest) -> Swept:
    if request.param == "memory":
        return in_memory()
    return on_aws(request.getfixturevalue("aws"), request.getfixturevalue("s3"))


def in_memory() -> Swept:
    cold, objects = cold_in_memory(), DatedColdObjects(lambda: datetime.now(UTC))
    assert isinstance(cold.stores.episodes, InMemoryEpisodeStore)
    scan = FakeHotScan(cold.stores.episodes)

    def point(item: dict[str, Any], key: str) -> None:
        scan.bodies[owner_of(item)] = key

    return Swept(cold, objects, FakeSweepStore(), scan, FakeBucket(objects), point)


def on_aws(aws: Aws, s3: "S3Client") -> Swept:
    cold, client = cold_on_aws(aws, s3), aws.client()

    def point(item: dict[str, Any], key: str) -> None:
        client.call("PutItem", {"TableName": aws.memory_table, "Item": {**item, "body_key": text(key)}})

    return Swept(
        cold,
        cold.objects,
        DynamoSweepStore(client, aws.control_table),
        DynamoHotScan(client, aws.memory_table),
        S3Bucket(s3, aws.bucket),
        point,
    )


def every_page(scan: HotScan, written_by: datetime) -> list[Unarchived]:
    found: list[Any] = []
    after = None
    while True:
        page, after = scan.unarchived(written_by, after)
        found += page
        if after is None:
            return sorted(found, key=lambda each: each.key)


def every_version(bucket: Bucket) -> list[StoredVersion]:
    found: list[Any] = []
    after = None
    while True:
        page, after = bucket.versions(after)
        found += page
        if after is None:
            return found


def test_the_place_of_a_sweep_is_kept_as_it_was(swept: Swept, clock: Clock) -> None:
    assert swept.place.last() == (None, 0)
    places = [
        Sweep(clock()),
        Sweep(clock(), "small", "acme/~w6k#é", {"merged": 7}),
        Sweep(clock.turn(hours=1), None, None, {"failed": 0}),
    ]

    for revision, place in enumerate(places):
        assert swept.place.keep(place, revision)
        assert swept.place.last() == (place, revision + 1)


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_place_is_kept_only_by_who_knows_the_last_one(swept: Swept, clock: Clock, revision: int) -> None:
    for each in range(2):
        assert swept.place.keep(Sweep(clock()), each)

    assert not swept.place.keep(Sweep(clock(), "orphans"), revision)

    assert swept.place.last() == (Sweep(clock()), 2)


def test_every_episode_that_is_not_marked_and_was_written_by_then_is_found(swept: Swept, clock: Clock) -> None:
    due = [swept.cold.append(tenant, clock(), agent_id=agent) for tenant, agent in AGENTS for _ in range(3)]
    short = swept.cold.append("acme", clock(), ttl_hours=1)
    marked = swept.cold.append("acme", clock())
    swept.cold.hot.evict("acme", "planner", [(marked[0], clock() + timedelta(days=9))])
    written_by = clock()
    young = swept.cold.append("acme", clock.turn(seconds=1))

    found = every_page(swept.scan, written_by)

    wanted = [Unarchived(each.tenant_id, each.agent_id, key_of(each), each.created_at) for _, each in due]
    assert found == sorted(wanted, key=lambda each: each.key)
    assert not {short[0], young[0]} & {each.key for each in found}


def test_records_tell_which_large_value_is_theirs(swept: Swept) -> None:
    swept.point(ITEM, "acme/planner/bodies/state/x/1")
    owners = [owner_of(ITEM), owner_of(OTHER), owner_of(ITEM), "", "no name", "é", "AAAA"]

    told = swept.scan.bodies_of(owners)

    assert told == ["acme/planner/bodies/state/x/1", None, "acme/planner/bodies/state/x/1", None, None, None, None]
    assert swept.scan.bodies_of([]) == []


def put(swept: Swept, agents: Sequence[Agent], *names: str) -> None:
    for tenant_id, agent_id in agents:
        for name in names:
            swept.objects.put_once(f"{tenant_id}/{to_path(agent_id)}/2026-11-20/{name}.jsonl.gz", b"x")


@pytest.mark.parametrize("most", [1, 3, 100])
def test_each_agent_with_objects_is_met_once_however_the_walk_is_cut(swept: Swept, most: int) -> None:
    put(swept, AGENTS, "one", "two")
    swept.objects.put_once("!uploads/acme/x", b"x")

    met: list[Agent] = []
    while found := swept.bucket.agents(met[-1] if met else None, most):
        assert len(found) <= most
        met += found

    assert sorted(met) == sorted(AGENTS)


def test_an_agent_that_has_gone_meanwhile_stops_no_walk(swept: Swept) -> None:
    put(swept, AGENTS, "one")
    first = swept.bucket.agents(None, 3)
    for version in every_version(swept.bucket):
        if to_path(first[-1].agent_id) in version.key.split("/"):
            swept.bucket.remove([version])

    later = swept.bucket.agents(first[-1], 100)

    assert set(later) == {each for each in AGENTS if each not in first and each.agent_id != first[-1].agent_id}


def test_every_version_is_listed_and_exactly_those_named_are_removed(swept: Swept) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    put(swept, AGENTS[:3], "one", "two")
    key = "acme/a/2026-11-20/one.jsonl.gz"
    swept.objects.put_over(key, b"three")
    listed = every_version(swept.bucket)
    assert len(listed) == 7
    assert sorted(each.size for each in listed if each.key == key) == [1, 5]
    assert all(before <= each.modified_at <= datetime.now(UTC) + timedelta(seconds=2) for each in listed)

    swept.bucket.remove([each for each in listed if each.key == key and each.size == 1])

    assert swept.objects.get(key) == b"three"
    assert len(every_version(swept.bucket)) == 6
    swept.bucket.remove(listed)
    assert every_version(swept.bucket) == []
