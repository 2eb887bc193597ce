"""A deployment whose embedding model is being changed: warm functions that know the plan, each as of its own time, and
an operator, whose waiting turns the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_memory.adapters.sql_late_vectors import SqlLateVectors
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.database import Database
from agent_memory.domain.embedding import Embedder
from agent_memory.domain.embedding_models import PlanStore, Space
from agent_memory.domain.late_vectors import LateVectors
from agent_memory.domain.semantic_store import MemoryStore
from agent_memory.domain.usage import Tally
from agent_memory.service.embedding_models import EmbeddingModels, Plans
from agent_memory.service.embedding_work import EmbeddingWork
from agent_memory.service.late_vectors import MissingVectors
from agent_memory.service.reembedding import Reembedding
from tests.contract.interrupted import Points, _Port
from tests.contract.memories import CHUNK_TOKENS, Memories
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder
from tests.fakes.embedding_models import InMemoryPlanStore
from tests.fakes.late_vectors import InMemoryLateVectors
from tests.fakes.memories import InMemoryMemoryStore

OLD, NEW = Space("words", 128), Space("turned words", 128)
STEPS = ("start", "backfill", "compare", "cut_over", "finish")


class Everybody:
    """`Tenants`."""

    def __init__(self, *tenants: str) -> None:
        self._tenants = tenants

    def all(self) -> Sequence[str]:
        return self._tenants


@dataclass
class Deployment:
    """Stores, two models, and what works with them; the models' `tally` is that of the tenant."""

    tenant: str
    clock: Clock
    store: MemoryStore
    late: LateVectors
    tally: Tally
    plans: PlanStore = field(default_factory=InMemoryPlanStore)
    models: dict[Space, WordEmbedder] = field(default_factory=dict)
    deployed: tuple[Space, ...] = (OLD, NEW)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.models = self.models or {OLD: WordEmbedder(OLD.model), NEW: WordEmbedder(NEW.model, turn=64)}

    def embedders(self) -> EmbeddingModels:
        def make(space: Space, counted: bool) -> Embedder | None:
            return self.models.get(space)

        return EmbeddingModels(Plans(self.plans, self.deployed[0], self.clock), make)

    def function(self) -> Memories:
        """A warm function, which reads the plan when it is first asked for something."""
        embedders: Any = self.embedders()
        return Memories(self.store, lambda: self.store, self.tenant, self.clock, embedders, self.tally, self.late)

    def operator(self, points: Points | None = None) -> Reembedding:
        """Somebody at a shell, to whom something happens at one of the points around his calls."""
        points = points or Points(0, lambda: None)
        missing = MissingVectors(_port(self.late, points), self.embedders(), CHUNK_TOKENS, self.clock)
        work = EmbeddingWork(_port(self.late, points), missing, self.clock)
        return Reembedding(
            _port(self.plans, points),
            self.deployed,
            Everybody(self.tenant),
            _port(work, points),
            self.clock,
            lambda seconds: void(self.clock.turn(seconds=seconds)),
            self.told.append,
        )


def step(operator: Reembedding, name: str) -> dict[str, Any]:
    """One step of the operator's."""
    if name == "cut_over":
        return operator.cut_over(0.9, anyway=False)
    done: dict[str, Any] = getattr(operator, name)()
    return done


def check(functions: Sequence[Memories], texts: Sequence[str]) -> None:
    """Every function finds all that is ready, by vectors of one model: of two models no vectors are near."""
    for place, function in enumerate(functions):
        for text in {texts[-1], texts[place]}:
            (first, *others) = function.search(text, mode="vector", top_k=100)
            assert first["content"] == text
            assert first["similarity_score"] > 0.99
            assert {first["content"], *(each["content"] for each in others)} == set(texts)


def in_memory(tenant: str, clock: Clock) -> Deployment:
    store = InMemoryMemoryStore(tally := Tally())
    return Deployment(tenant, clock, store, InMemoryLateVectors(store), tally)


def in_postgres(tenant: str, clock: Clock, database: Database) -> Deployment:
    tally = Tally()
    return Deployment(tenant, clock, SqlMemoryStore(database, tally), SqlLateVectors(database, tally), tally)


def _port(port: object, points: Points) -> Any:
    return _Port(port, points)


def void(_: object) -> None:
    """Leave what came out."""
