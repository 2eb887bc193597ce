"""Procedures under test: one store, one tenant, a model of words and a clock that a test turns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt, IdempotencyRecord, begin
from agent_memory.domain.json_document import parse
from agent_memory.domain.procedure_store import Match, ProcedureStore, Put
from agent_memory.domain.procedures import MatchRequest, NewProcedure, Procedure, ProceduresQuery, RenderRequest
from agent_memory.domain.usage import Tally
from agent_memory.service.procedures import Procedures
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder

REFUND: JsonObject = {"trigger": "refund an order", "steps": ["Find order {{order}}.", "Pay it back."]}


@dataclass
class Handbook:
    """One tenant's view; `another` is the same store as a second function sees it."""

    store: ProcedureStore
    another_store: Callable[[], ProcedureStore]
    tenant: str
    clock: Clock
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.procedures = Procedures(self.store, self.embedder, "english", self.tally, self.clock)

    def of(self, tenant: str) -> "Handbook":
        return Handbook(self.store, self.another_store, tenant, self.clock, self.embedder, self.tally)

    def another(self) -> "Handbook":
        return Handbook(self.another_store(), self.another_store, self.tenant, self.clock, self.embedder, self.tally)

    def put(self, name: str, record: IdempotencyRecord | None = None, **fields: Any) -> Put:
        new = NewProcedure.model_validate(fields or REFUND)
        return self.procedures.put(self.tenant, name, new, Attempt(record))

    def get(self, name: str, agent_id: str | None = None, version: int | None = None) -> Procedure:
        return self.procedures.get(self.tenant, name, agent_id, version)

    def walked(self, limit: int = 50, agent_id: str | None = None) -> list[list[tuple[str, str | None, int]]]:
        """(name, agent, version) of a whole walk, page by page."""
        pages, cursor = [], None
        while True:
            query = ProceduresQuery(limit=limit, cursor=cursor, agent_id=agent_id)
            page, cursor = self.procedures.walk(self.tenant, query, b"key")
            pages.append([(told["name"], told["agent_id"], told["version"]) for told in map(parse, page.items)])
            if cursor is None:
                return pages

    def versions(self, name: str, limit: int = 50, agent_id: str | None = None) -> list[list[int]]:
        pages, cursor = [], None
        while True:
            query = ProceduresQuery(limit=limit, cursor=cursor, agent_id=agent_id)
            page, cursor = self.procedures.versions(self.tenant, name, query, b"key")
            pages.append([parse(each)["version"] for each in page.items])
            if cursor is None:
                return pages

    def render(self, name: str, arguments: JsonObject, **fields: Any) -> JsonObject:
        return self.procedures.render(self.tenant, name, RenderRequest(arguments=arguments, **fields))

    def match(self, message: str, **fields: Any) -> list[Match]:
        return self.procedures.match(self.tenant, MatchRequest(message=message, **fields)).found

    def matched(self, message: str, **fields: Any) -> list[str]:
        """Names, the best first."""
        return [each.procedure.name for each in self.match(message, **fields)]

    def delete(self, name: str, agent_id: str | None = None, record: IdempotencyRecord | None = None) -> None:
        self.procedures.delete(self.tenant, name, agent_id, Attempt(record))

    def key(self, key: str, body: bytes = b"{}") -> IdempotencyRecord:
        return begin(self.tenant, "PUT /v1/procedures/{name}", key, body, self.clock())
