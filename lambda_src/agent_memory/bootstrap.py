"""The composition root: the only place that builds clients and stores, each once and when first asked for.

Imports stand inside the functions on purpose: a function loads what it serves and no more, which is most of its
cold start (docs/adr/0002-signed-requests-on-the-hot-path.md).
"""
# ruff: noqa: PLC0415

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.config import Settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.adapters.aws_json import AwsJsonClient
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
    from agent_memory.service.buckets import AgentBuckets
    from agent_memory.service.episode_batch import EpisodeBatches
    from agent_memory.service.episodic import EpisodicMemory
    from agent_memory.service.keys import ApiKeys
    from agent_memory.service.subjects import Subjects
    from agent_memory.service.working import WorkingMemory

settings = Settings()


@cache
def dynamodb() -> "AwsJsonClient":
    """The signed DynamoDB client."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region)


def data_calls() -> int:
    """Calls to DynamoDB so far, for the log line of a request."""
    return dynamodb().calls


@cache
def api_keys() -> "ApiKeys":
    """API keys and who stands behind them."""
    from agent_memory.adapters import ssm
    from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
    from agent_memory.service.keys import ApiKeys

    pepper = ssm.SsmPepper(ssm.make_client(settings.region), settings.pepper_parameter)
    return ApiKeys(DynamoApiKeyStore(dynamodb(), settings.control_table), pepper, now)


@cache
def idempotency() -> "DynamoIdempotencyStore":
    """First answers."""
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore

    return DynamoIdempotencyStore(dynamodb(), settings.control_table)


@cache
def subjects() -> "Subjects":
    """Whose session it is."""
    from agent_memory.adapters.dynamodb_control import DynamoSubjectStore
    from agent_memory.service.subjects import Subjects

    return Subjects(DynamoSubjectStore(dynamodb(), settings.memory_table))


@cache
def working() -> "WorkingMemory":
    """Working memory."""
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.service.working import WorkingMemory

    return WorkingMemory(DynamoStateStore(dynamodb(), settings.memory_table, idempotency()), subjects(), now)


@cache
def _buckets() -> "DynamoBucketStore":
    from agent_memory.adapters.dynamodb_control import DynamoBucketStore

    return DynamoBucketStore(dynamodb(), settings.control_table)


@cache
def agent_buckets() -> "AgentBuckets":
    """How agents are spread."""
    from agent_memory.service.buckets import AgentBuckets

    return AgentBuckets(_buckets(), now)


@cache
def _episodes() -> "DynamoEpisodeStore":
    from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore

    return DynamoEpisodeStore(dynamodb(), settings.memory_table, _buckets(), idempotency())


@cache
def episodic() -> "EpisodicMemory":
    """Episodic memory."""
    from agent_memory.service.episodic import EpisodicMemory

    return EpisodicMemory(_episodes(), subjects(), now)


@cache
def episode_batches() -> "EpisodeBatches":
    """Batches of episodes."""
    from agent_memory.service.episode_batch import EpisodeBatches

    return EpisodeBatches(_episodes(), idempotency(), subjects(), now)
