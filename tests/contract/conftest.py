"""The stores twice: in memory, and on DynamoDB's protocol."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_state import DynamoStateStore
from agent_memory.domain.api_key import ApiKeyStore
from agent_memory.domain.ports import BucketStore, EpisodeStore, IdempotencyStore, StateStore, SubjectStore
from agent_memory.service.episode_batch import EpisodeBatches
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.subjects import Subjects
from agent_memory.service.working import WorkingMemory
from tests.fakes.clock import Clock
from tests.fakes.control import InMemoryApiKeyStore, InMemoryBucketStore, InMemorySubjectStore
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.state import InMemoryStateStore
from tests.fix_aws import Aws


@dataclass
class Stores:
    """What one function holds; `another` is a second function on the same tables."""

    state: StateStore
    episodes: EpisodeStore
    idempotency: IdempotencyStore
    subjects: SubjectStore
    buckets: BucketStore
    api_keys: ApiKeyStore
    another: Callable[[], "Stores"]

    def working(self, clock: Clock) -> WorkingMemory:
        return WorkingMemory(self.state, Subjects(self.subjects), clock)

    def episodic(self, clock: Clock) -> EpisodicMemory:
        return EpisodicMemory(self.episodes, Subjects(self.subjects), clock)

    def batches(self, clock: Clock) -> EpisodeBatches:
        return EpisodeBatches(self.episodes, self.idempotency, Subjects(self.subjects), clock)


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        return in_memory()
    return on_dynamodb(request.getfixturevalue("aws"))


def in_memory() -> Stores:
    idempotency = InMemoryIdempotencyStore()
    made = Stores(
        InMemoryStateStore(idempotency),
        InMemoryEpisodeStore(idempotency),
        idempotency,
        InMemorySubjectStore(),
        InMemoryBucketStore(),
        InMemoryApiKeyStore(),
        another=lambda: made,
    )
    return made


def on_dynamodb(aws: Aws) -> Stores:
    client = aws.client()
    idempotency = DynamoIdempotencyStore(client, aws.control_table)
    buckets = DynamoBucketStore(client, aws.control_table)
    return Stores(
        DynamoStateStore(client, aws.memory_table, idempotency),
        DynamoEpisodeStore(client, aws.memory_table, buckets, idempotency),
        idempotency,
        DynamoSubjectStore(client, aws.memory_table),
        buckets,
        DynamoApiKeyStore(client, aws.control_table),
        another=lambda: on_dynamodb(aws),
    )
