"""SQL ranks as the rule in Python does, on random memories and questions; and it stays quick, whatever is asked."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.chunking import Span
from agent_memory.domain.fusion import TRUST, Candidate, idf, lexical_score, rank
from agent_memory.domain.lexemes import query_lexemes, worded
from agent_memory.domain.merging import Signature
from agent_memory.domain.semantic import NewMemory
from agent_memory.domain.semantic_store import Draft, MemorySearch
from agent_memory.domain.usage import Tally
from tests.fakes.embedding import word_vector
from tests.fix_postgres import Aurora

Connection = psycopg.Connection[Any]

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
WORDS = ("piano", "crane", "floor", "price", "tuesday", "berlin", "tea", "茶")
_MODEL = "words/128"
_TENANTS = itertools.count()

said = st.fixed_dictionaries(
    {
        "pieces": st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9), min_size=1, max_size=2),
        "session_id": st.sampled_from([None, "s", "t"]),
        "agent_id": st.sampled_from(["a", "b"]),
        "age": st.floats(0, 2000).map(lambda days: timedelta(days=round(days, 3))),
        "trust": st.sampled_from(sorted(TRUST)),
        "pinned": st.booleans(),
        "purposes": st.sampled_from([None, ["care"], ["care", "billing"]]),
    }
)
asked = st.fixed_dictionaries(
    {
        "query": st.lists(st.sampled_from([*WORDS, "unknown"]), min_size=1, max_size=4).map(" ".join),
        "top_k": st.integers(1, 12),
        "agent_id": st.sampled_from([None, "a"]),
        "session_id": st.sampled_from([None, None, "s"]),
        "purpose": st.sampled_from([None, "care", "billing"]),
        "min_trust": st.sampled_from([None, "inference"]),
        "half_life_days": st.sampled_from([None, 30.0, 365.0]),
        "as_of": st.sampled_from([None, NOW - timedelta(days=400)]),
        "threshold": st.sampled_from([None, None, 0.2]),
    }
)


def drafted(number: int, memory: dict[str, Any]) -> Draft:
    texts = [" ".join(piece) for piece in memory["pieces"]]
    new = NewMemory(
        agent_id=memory["agent_id"],
        content=" ".join(texts),
        session_id=memory["session_id"],
        timestamp=NOW - memory["age"],
        trust=memory["trust"],
        pinned=memory["pinned"],
        purposes=memory["purposes"],
        dedupe=False,
    )
    spans = tuple(Span(place, place + 1) for place in range(len(texts)))
    vectors = {_MODEL: [word_vector(text) for text in texts]}
    words = tuple(worded(text, "english") for text in texts)
    return Draft(str(UUID(int=number + 1)), new, None, spans, vectors, (), Signature((), ()), (), words)


def expected(drafts: list[Draft], search: MemorySearch, cosines: dict[str, float]) -> list[tuple[str, float]]:
    """By the rule in Python; the cosines are the database's, which knows vectors at half the precision."""
    scope = [draft for draft in drafts if search.agent_id in (None, draft.new.agent_id)]
    pieces = [dict(each.lexemes) for draft in scope for each in draft.words]
    query = {lexeme: idf(len(pieces), sum(lexeme in piece for piece in pieces)) for lexeme in search.lexemes}
    candidates = [
        Candidate(
            id=draft.id,
            cosine=cosines[draft.id],
            lexical=max(lexical_score(dict(each.lexemes), each.length, query) for each in draft.words),
            occurred_at=draft.new.timestamp or NOW,
            trust=draft.new.trust or "",
            pinned=bool(draft.new.pinned),
        )
        for draft in drafts
        if draft.id in cosines
    ]
    sessions: dict[Any, list[tuple[datetime, str]]] = {}
    for draft in drafts:
        at = draft.new.timestamp or NOW
        if draft.new.session_id is not None and (search.as_of is None or at <= search.as_of):
            sessions.setdefault((draft.new.agent_id, draft.new.session_id), []).append((at, draft.id))
    lines = [[each for _, each in sorted(line)] for line in sessions.values()]
    ranked = rank(candidates, lines, search.as_of or NOW, search.half_life_days, search.top_k)
    return [(each.id, each.score) for each in ranked]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(said, min_size=1, max_size=40), st.lists(asked, min_size=1, max_size=3))
def test_sql_ranks_as_the_rule_does(migrated: Aurora, memories: list[Any], questions: list[Any]) -> None:
    store, tenant = SqlMemoryStore(migrated.as_app(), Tally()), f"ranked-{next(_TENANTS)}"
    drafts = [drafted(number, memory) for number, memory in enumerate(memories)]
    store.store(tenant, drafts, _MODEL, NOW, None)
    for question in questions:
        query, top_k = question.pop("query"), question.pop("top_k")
        lexemes = query_lexemes(query, "english")
        search = MemorySearch(word_vector(query), _MODEL, top_k, NOW, lexemes=lexemes, **question)
        plain = {name: value for name, value in question.items() if name != "half_life_days"}
        near = MemorySearch(word_vector(query), _MODEL, 100, NOW, mode="vector", **plain)
        cosines = {hit.memory.id: hit.similarity or 0.0 for hit in store.search(tenant, near)}

        found = [(hit.memory.id, hit.score) for hit in store.search(tenant, search)]

        assert_alike(found, expected(drafts, search, cosines))


def assert_alike(found: list[tuple[str, float]], wanted: list[tuple[str, float]]) -> None:
    """The same scores in the same places; memories of equal scores may stand for each other at the end of the list."""
    assert [score for _, score in found] == pytest.approx([score for _, score in wanted], abs=2e-9)
    last = wanted[-1][1] if wanted else 0.0
    for one, other in zip(found, wanted, strict=True):
        assert one[0] == other[0] or abs(one[1] - last) < 2e-9 or abs(one[1] - other[1]) < 2e-9
