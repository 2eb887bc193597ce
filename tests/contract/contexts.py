"""All layers of one tenant under test, and the contexts that are made of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent_memory.acting import acting_for
from agent_memory.domain.context import ContextRequest, ContextStore
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.usage import Tally
from agent_memory.service.context import Context
from agent_memory.service.large_values import LargeValues
from tests.contract.facts import KnownFacts
from tests.contract.memories import Memories
from tests.contract.procedures import Handbook
from tests.fakes.bodies import InMemoryBodies
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.state import InMemoryStateStore


@dataclass
class Known:
    """What one tenant's agents know; each `context` of `another()` is that of another instance of the function."""

    memories: Memories
    facts: KnownFacts
    handbook: Handbook
    reach: Callable[[], ContextStore]
    tenant: str
    clock: Clock
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    states: InMemoryStateStore = field(default_factory=lambda: InMemoryStateStore(InMemoryIdempotencyStore(), Tally()))

    def __post_init__(self) -> None:
        self.store = self.reach()
        values = LargeValues(InMemoryBodies, Tally(), self.clock)
        self._context = Context(self.states, values, self.embedder, self.store, "english", self.clock, 30.0)

    def another(self) -> "Known":
        return Known(self.memories, self.facts, self.handbook, self.reach, self.tenant, self.clock, self.embedder)

    def of(self, tenant: str) -> "Known":
        return Known(
            self.memories.of(tenant),
            self.facts.of(tenant),
            self.handbook.of(tenant),
            self.reach,
            tenant,
            self.clock,
            self.embedder,
        )

    def context(self, message: str, **fields: Any) -> JsonObject:
        asked = ContextRequest.model_validate({"agent_id": "a", "message": message, "user_id": "ana"} | fields)
        with acting_for(self.tenant):
            return self._context.build(self.tenant, asked, time.monotonic())

    def values(self, **fields: Any) -> list[Any]:
        """Values of the facts that a context has."""
        return [fact["value"] for fact in self.context("what is known?", **fields)["facts"]]

    def texts(self, message: str, **fields: Any) -> list[str]:
        """Contents of the memories that a context has, the best first."""
        return [memory["content"] for memory in self.context(message, **fields)["memories"]]
