"""The handlers, wired to stores in memory or to moto's DynamoDB."""

import importlib
from collections.abc import Iterator

import pytest

from agent_memory import bootstrap
from agent_memory.service.episode_batch import EpisodeBatches
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.subjects import Subjects
from agent_memory.service.working import WorkingMemory
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fakes.control import InMemorySubjectStore
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.state import InMemoryStateStore
from tests.fix_aws import Aws


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the edge and of every use case that is built after this."""
    made = Clock()
    monkeypatch.setattr(bootstrap, "now", made)
    monkeypatch.setattr(importlib.import_module("agent_memory.entrypoints.http"), "now", made)
    return made


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Edge:
    """The API over stores in memory."""
    idempotency = InMemoryIdempotencyStore()
    subjects, episodes = Subjects(InMemorySubjectStore()), InMemoryEpisodeStore(idempotency)
    built = {
        "idempotency": idempotency,
        "working": WorkingMemory(InMemoryStateStore(idempotency), subjects, clock),
        "episodic": EpisodicMemory(episodes, subjects, clock),
        "episode_batches": EpisodeBatches(episodes, idempotency, subjects, clock),
    }
    for name, part in built.items():
        monkeypatch.setattr(bootstrap, name, lambda part=part: part)
    return Edge()


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, aws: Aws, clock: Clock, tenant: str) -> Iterator[Edge]:
    """The API as it is deployed, with moto behind it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("MEMORY_TABLE", aws.memory_table)
    monkeypatch.setenv("CONTROL_TABLE", aws.control_table)
    forget_clients()
    yield Edge(tenant)
    forget_clients()


def forget_clients() -> None:
    """Make the next call build everything again, as a cold start does."""
    if bootstrap.dynamodb.cache_info().currsize:
        bootstrap.dynamodb()._close()
    for part in vars(bootstrap).values():
        if hasattr(part, "cache_clear"):
            part.cache_clear()
