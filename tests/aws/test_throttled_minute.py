"""Bedrock throttles for a minute: no write is lost, and every text has its vector soon after."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from agent_memory.adapters import aws_http, bedrock_runtime, kept
from agent_memory.adapters.bedrock import TitanEmbedding
from agent_memory.domain.embedding import Embedder
from agent_memory.domain.embedding_models import Space
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service import embedding
from agent_memory.service.embedding import Embeddings
from agent_memory.service.embedding_models import EmbeddingModels, Plans
from tests.contract.memories import Memories
from tests.fakes.clock import Clock
from tests.fakes.embedding import word_vector
from tests.fakes.embedding_models import InMemoryPlanStore
from tests.fakes.late_vectors import InMemoryLateVectors
from tests.fakes.memories import InMemoryMemoryStore
from tests.rest_service import RestService, serving

MODEL = Space("amazon.titan-embed-text-v2:0", 128)


class TurnedTime:
    """Time that goes on by itself, and by what is slept without being waited for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.slept = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def time(self) -> float:
        return time.time() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._clock.turn(seconds=seconds)


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestService]:
    with serving() as service:
        service.vector = lambda request: list(word_vector(request["inputText"]))
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", service.endpoint)
        yield service


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> TurnedTime:
    made = TurnedTime(clock)
    double = SimpleNamespace(monotonic=made.monotonic, time=made.time, sleep=made.sleep)
    for module in (aws_http, bedrock_runtime, kept, embedding):
        monkeypatch.setattr(module, "time", double)
    return made


@pytest.fixture
def memories(rest: RestService, turned: TurnedTime, clock: Clock) -> Memories:
    store = InMemoryMemoryStore(tally := Tally())
    made: dict[Space, Embedder] = {}

    def make(space: Space, counted: bool) -> Embedder:
        model = TitanEmbedding(bedrock_runtime.make_client("eu-west-1"), *space)
        return made.setdefault(space, Embeddings(model, tally if counted else Tally(), 18.0, lambda: "acme"))

    models = EmbeddingModels(Plans(InMemoryPlanStore(), MODEL, clock), make)
    late = InMemoryLateVectors(store)
    return Memories(store, lambda: store, "acme", clock, models, tally, late)  # type: ignore[arg-type] # `Embedders`


def test_a_minute_of_throttling_loses_no_write(memories: Memories, rest: RestService, turned: TurnedTime) -> None:
    memories.store("Before the storm all is ready.")
    rest.faults = [(429, "ThrottlingException")] * 1_000_000
    texts: list[str] = []
    waited: list[float] = []
    started = memories.clock()

    while (memories.clock() - started).total_seconds() < 60:
        before = turned.slept
        texts.append(f"Note {len(texts)} of the minute, about {'harbours' if len(texts) % 2 else 'orchards'}.")
        assert memories.store(texts[-1]).status == 202
        waited.append(turned.slept - before)
        assert memories.found(texts[-1])[0] == texts[-1], "by its words, at once"
        with pytest.raises(StoreUnavailable):
            memories.do_jobs()

    assert len(texts) > 5
    assert max(waited) < 9, "one request waits for the model as long as it may"
    assert sorted(waited)[len(waited) // 2] < 1.5, "and those behind it do not, for it has been tried"
    assert len(rest.requests) < 600, "with growing pauses in between"
    rest.faults = []
    memories.do_jobs()

    assert memories.queued() == []
    for text in texts:
        (found,) = memories.search(text, mode="vector", top_k=1)
        assert (found["content"], found["embedding"]) == (text, "ready")
    assert memories.tally.vectors == len(texts) + 1
