"""The cold tier twice: in memory, and on the protocols of DynamoDB and S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent_memory.adapters.dynamodb_archive import DynamoArchiveIndex
from agent_memory.adapters.dynamodb_episode_item import episode_key
from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
from agent_memory.adapters.dynamodb_item import read_number
from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
from agent_memory.adapters.dynamodb_purge import DynamoAgentArchive
from agent_memory.adapters.dynamodb_rehydration import DynamoRehydratedEpisodes
from agent_memory.adapters.s3_archive import S3Archive
from agent_memory.adapters.s3_objects import S3ColdObjects
from agent_memory.domain.archive import ArchivedObject, ArchiveIndex, ColdObjects, HotEpisodes, Key, fingerprints
from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.object_rows import ObjectRows
from agent_memory.domain.ports import AgentStore
from agent_memory.domain.rehydration import RehydratedEpisodes
from agent_memory.domain.times import format_time, from_micros
from tests.contract.conftest import Stores, in_memory, on_dynamodb
from tests.contract.walks import an_episode
from tests.fakes.archive import FakeArchiveIndex, FakeColdObjects, FakeHotEpisodes, FakeRehydratedEpisodes
from tests.fakes.clock import Clock
from tests.fakes.episodes import HOT_WINDOW, InMemoryEpisodeStore
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass
class Cold:
    """Both tiers as one function holds them; `stores` are the hot one's."""

    index: ArchiveIndex
    rows: ObjectRows
    objects: ColdObjects
    hot: HotEpisodes
    stores: Stores
    purged: list[AgentStore]
    """The stores that a purge empties, in its order."""
    sweep: Callable[[Episode], None]
    """Take an episode out of the hot tier, as DynamoDB does with what is marked."""
    evict_at: Callable[[Episode], datetime | None]
    """When an episode that is there is to be evicted."""
    rehydrated: RehydratedEpisodes

    def append(self, tenant: str, now: datetime, **fields: Any) -> tuple[Key, Episode]:
        """Write an episode into the hot tier."""
        episode = an_episode(tenant, now, **fields)
        assert self.stores.episodes.append([episode], now) == [None]
        return key_of(episode), episode


def cold_in_memory() -> Cold:
    stores, index, objects = in_memory(), FakeArchiveIndex(), FakeColdObjects()
    assert isinstance(stores.episodes, InMemoryEpisodeStore)
    hot = FakeHotEpisodes(stores.episodes)

    def drop(episode: Episode) -> None:
        assert isinstance(stores.episodes, InMemoryEpisodeStore)
        stores.episodes.drop(episode.id)

    def marked(episode: Episode) -> datetime | None:
        assert isinstance(stores.episodes, InMemoryEpisodeStore)
        return stores.episodes.evict_at.get(episode.id)

    return Cold(
        index,
        index,
        objects,
        hot,
        stores,
        [index, objects, stores.records, stores.marks],
        drop,
        marked,
        FakeRehydratedEpisodes(stores.episodes, index),
    )


def cold_on_aws(aws: Aws, s3: "S3Client") -> Cold:
    stores, client = on_dynamodb(aws), aws.client()

    def place(episode: Episode) -> dict[str, Any]:
        plan = stores.buckets.get(episode.tenant_id, episode.agent_id)
        bucket = plan.for_write(episode.session_id, episode.created_at)
        item_key = episode_key(episode.tenant_id, episode.agent_id, bucket, episode.position)
        return {"TableName": aws.memory_table, "Key": item_key}

    def delete(episode: Episode) -> None:
        client.call("DeleteItem", place(episode))

    def marked(episode: Episode) -> datetime | None:
        seconds = read_number(client.call("GetItem", place(episode))["Item"], "evict_at")
        return None if seconds is None else from_micros(seconds * 1_000_000)

    return Cold(
        DynamoArchiveIndex(client, aws.memory_table),
        DynamoObjectRows(client, aws.memory_table),
        S3ColdObjects(s3, aws.bucket),
        DynamoHotEpisodes(client, aws.memory_table),
        stores,
        [DynamoAgentArchive(client, aws.memory_table), S3Archive(s3, aws.bucket), stores.records, stores.marks],
        delete,
        marked,
        DynamoRehydratedEpisodes(client, aws.memory_table, stores.buckets, HOT_WINDOW),
    )


def key_of(episode: Episode) -> Key:
    """Where it stands while its agent has one bucket."""
    return Key(0, episode.position)


def a_row(tenant: str, first: Position, last: Position, agent: str = "planner", **fields: Any) -> ArchivedObject:
    """A row of an object that nobody wrote."""
    name = fields.pop("name", f"{first.id}-{last.id}")
    given: dict[str, Any] = {
        "key": f"{tenant}/{to_path(agent)}/{format_time(first.time)[:10]}/{name}.jsonl.gz",
        "sha256": "ab" * 32,
        "size": 1000,
        "count": 2,
        "sessions": fingerprints(["s"]),
        "users": b"",
        "runs": b"",
        "types": frozenset(["action"]),
        "bodies": frozenset[str](),
        "first_expiry": None,
        "archived_at": first.time,
    }
    return ArchivedObject(tenant_id=tenant, agent_id=agent, first=first, last=last, **given | fields)


def positions(clock: Clock, *minutes: float) -> Iterator[Position]:
    """Positions so many minutes from now, each with an id of its own."""
    for number, each in enumerate(minutes):
        yield Position(clock() + timedelta(minutes=each), f"01J{number:023d}")
