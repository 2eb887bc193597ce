"""One warm function that makes contexts, over stores that say what a test lets them say."""

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_memory.acting import acting_for, acting_tenant
from agent_memory.domain.context import ContextQuery, ContextRequest, Gathered, UsersFacts
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.state import State, StateKey
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service.context import Context
from agent_memory.service.large_values import LargeValues
from tests.fakes.bodies import InMemoryBodies
from tests.fakes.clock import Clock
from tests.fakes.context import AT
from tests.fakes.embedding import WordEmbedder
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.state import InMemoryStateStore

if TYPE_CHECKING:
    from collections.abc import Callable


class ScriptedContextStore:
    """`ContextStore`; remembers what it was asked. Facts are told only to whom does not hold their version."""

    def __init__(self, gathered: Gathered | None = None) -> None:
        self.gathered = gathered or Gathered(None)
        self.asked: list[tuple[str, ContextQuery, float]] = []
        self.refuses: Callable[[], None] = lambda: None

    def gather(self, tenant_id: str, query: ContextQuery, timeout_s: float) -> Gathered:
        self.asked.append((tenant_id, query, timeout_s))
        self.refuses()
        facts = self.gathered.facts
        return replace(self.gathered, facts=None) if facts and query.known_facts == facts.version else self.gathered


def users_facts(version: str, *facts: JsonObject, until: datetime | None = None, partial: bool = False) -> UsersFacts:
    return UsersFacts(version, facts, AT, until, partial)


def fact(record: str, subject: str, predicate: str, value: Any) -> JsonObject:
    said = {"subject": subject, "predicate": predicate, "value": value}
    return {"id": record, **said, "valid_from": AT, "trust": "direct_user"}


def procedure(name: str, phrase: str, score: float, **fields: Any) -> JsonObject:
    told = {"name": name, "version": 3, "phrase": phrase, "score": score, "steps": ["look", "act"], "template": None}
    return told | {"trust": "direct_user"} | fields


BERLIN = fact("f1", "Noor", "lives_in", "Berlin")
PORTO = fact("f2", "Noor", "lives_in", "Porto")


def refuse() -> None:
    """What a store does that is away."""
    raise StoreUnavailable("away")


def state(data: JsonObject | None, **fields: Any) -> State:
    return State(StateKey("acme", "a", "s"), data, 3, AT, AT, None, {}, **fields)


class States(InMemoryStateStore):
    """What working memory says."""

    def __init__(self, scene: "Scene") -> None:
        super().__init__(InMemoryIdempotencyStore(), Tally())
        self._scene = scene

    def get(self, key: StateKey, now: datetime) -> State | None:
        assert acting_tenant() == key.tenant_id, "credentials are the tenant's in every thread"
        self._scene.states.append((key, now))
        return self._scene.state()


class Scene:
    """One warm function."""

    def __init__(self, store: ScriptedContextStore | None = None, deadline_s: float = 20.0) -> None:
        self.clock = Clock()
        self.store = store or ScriptedContextStore()
        self.embedder = WordEmbedder()
        self.states: list[tuple[StateKey, datetime]] = []
        self.state: Callable[[], State | None] = lambda: None
        values = LargeValues(InMemoryBodies, Tally(), self.clock)
        states = States(self)
        self.context = Context(states, values, self.embedder, self.store, "english", self.clock, deadline_s)

    def build(self, message: str = "Where does Noor live?", tenant: str = "acme", **fields: Any) -> JsonObject:
        asked = ContextRequest.model_validate({"agent_id": "a", "message": message} | fields)
        with acting_for(tenant):
            return self.context.build(tenant, asked, time.monotonic())
