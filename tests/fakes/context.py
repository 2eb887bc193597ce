"""A context store over the stores of its layers."""

import hashlib
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from agent_memory.domain.chunking import Span
from agent_memory.domain.context import SUMMARIES, ContextQuery, Gathered, Recall, UsersFacts
from agent_memory.domain.fact_store import FactsAsked
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.fusion import HALF_LIFE_DAYS
from agent_memory.domain.json_document import dumps
from agent_memory.domain.procedure_store import ProcedureSearch
from agent_memory.domain.semantic_store import Hit, MemorySearch
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.memories import InMemoryMemoryStore
from tests.fakes.procedures import InMemoryProcedureStore

_MOST_BYTES_OF_FACTS = 250_000
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def recall(record: str, content: str, score: float = 0.5, **fields: Any) -> Recall:
    given: dict[str, Any] = {
        "passage": Span(0, len(content)),
        "length": len(content),
        "similarity": 0.5,
        "agent_id": "a",
        "namespace": "default",
        "user_id": None,
        "session_id": None,
        "metadata": {},
        "timestamp": AT,
        "trust": "direct_user",
    }
    return Recall(record, content, score=score, **(given | fields))


class InMemoryContextStore:
    """`ContextStore` over the stores of its layers; a version of facts is what they say."""

    def __init__(
        self, memories: InMemoryMemoryStore, facts: InMemoryFactStore, procedures: InMemoryProcedureStore
    ) -> None:
        self._memories = memories
        self._facts = facts
        self._procedures = procedures

    def gather(self, tenant_id: str, query: ContextQuery, timeout_s: float) -> Gathered:  # noqa: ARG002
        found = self._found(tenant_id, query)
        return Gathered(
            facts=self._users_facts(tenant_id, query),
            memories=[each for each in found if each.namespace != SUMMARIES][: query.top_k],
            summaries=[each for each in found if each.namespace == SUMMARIES][: query.top_k],
            procedures=self._matched(tenant_id, query),
        )

    def _users_facts(self, tenant_id: str, query: ContextQuery) -> UsersFacts | None:
        if query.user_id is None:
            return None
        asked = FactsAsked(
            query.user_id,
            query.now,
            agent_id=query.agent_id,
            as_of=query.as_of,
            purpose=query.purpose,
            limit=200,
        )
        page = self._facts.facts(tenant_id, asked)
        known = [each.response() for each in page.facts]
        version = hashlib.sha256(repr((known, page.more)).encode()).hexdigest()
        if version == query.known_facts:
            return None
        sizes = accumulate(len(dumps(each).encode()) for each in known)
        facts = tuple(each for each, size in zip(known, sizes, strict=True) if size <= _MOST_BYTES_OF_FACTS)
        partial = page.more or len(facts) < len(known)
        return UsersFacts(version, facts, query.as_of or query.now, partial=partial)

    def _found(self, tenant_id: str, query: ContextQuery) -> list[Recall]:
        search = MemorySearch(
            vector=query.vector,
            model=query.model,
            top_k=10_000,
            now=query.now,
            mode="lexical" if query.vector is None else "hybrid",
            lexemes=query.lexemes,
            agent_id=query.agent_id,
            user_id=query.user_id,
            as_of=query.as_of,
            purpose=query.purpose,
            half_life_days=HALF_LIFE_DAYS,
        )
        return [_recalled(hit) for hit in self._memories.search(tenant_id, search)]

    def _matched(self, tenant_id: str, query: ContextQuery) -> list[JsonObject]:
        search = ProcedureSearch(
            vector=query.vector or (),
            model=query.model if query.vector else "",
            lexemes=query.lexemes,
            now=query.now,
            top_k=query.top_k,
            agent_id=query.agent_id,
            user_id=query.user_id,
            purpose=query.purpose,
            least=0.3,
        )
        return [each.response() for each in self._procedures.match(tenant_id, search).found]


def _recalled(hit: Hit) -> Recall:
    memory, passage = hit.memory, hit.passage
    length = len(memory.content)
    if passage is None:
        passage = Span(0, 1000 if length > 2000 else length)
    return recall(
        memory.id,
        memory.content[passage.start : passage.end],
        hit.score,
        passage=passage,
        length=length,
        similarity=hit.similarity,
        agent_id=memory.agent_id,
        namespace=memory.namespace,
        user_id=memory.user_id,
        session_id=memory.session_id,
        metadata=memory.metadata,
        timestamp=memory.timestamp,
        trust=memory.trust,
    )
