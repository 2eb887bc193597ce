"""Episodes of both tiers, as requests write and read them."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, counting, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
    from agent_memory.domain.archive import ColdObjects
    from agent_memory.domain.ports import EpisodeStore
    from agent_memory.service.buckets import AgentBuckets
    from agent_memory.service.episode_batch import EpisodeBatches
    from agent_memory.service.episodic import EpisodicMemory


@cache
def bucket_store() -> "DynamoBucketStore":
    """How agents are spread, as it is stored."""
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore

    return DynamoBucketStore(clients.dynamodb(), settings.control_table)


@cache
def agent_buckets() -> "AgentBuckets":
    """How agents are spread."""
    from agent_memory.service.buckets import AgentBuckets

    return AgentBuckets(bucket_store(), now)


@cache
def episode_store() -> "DynamoEpisodeStore":
    """Episodes of the hot tier."""
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore

    return DynamoEpisodeStore(
        clients.dynamodb(),
        settings.memory_table,
        bucket_store(),
        records.idempotency(),
        counting.tally(),
        settings.hot_window,
    )


@cache
def timeline() -> "EpisodeStore":
    """Episodes of both tiers. Whoever asks the cold one for nothing does not load the AWS SDK."""
    from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
    from agent_memory.service.timeline import TieredEpisodes

    return TieredEpisodes(episode_store(), DynamoObjectRows(clients.dynamodb(), settings.memory_table), cold_objects)


@cache
def cold_objects() -> "ColdObjects":
    """Objects of the archive bucket."""
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_objects import S3ColdObjects

    return S3ColdObjects(make_client(settings.region, clients.tenant_credentials()), settings.archive_bucket)


@cache
def episodic() -> "EpisodicMemory":
    """Episodic memory."""
    from agent_memory.service.episodic import EpisodicMemory

    return EpisodicMemory(timeline(), records.subjects(), records.large_values(), now)


@cache
def episode_batches() -> "EpisodeBatches":
    """Batches of episodes."""
    from agent_memory.service.episode_batch import EpisodeBatches

    return EpisodeBatches(episode_store(), records.idempotency(), records.subjects(), records.large_values(), now)
