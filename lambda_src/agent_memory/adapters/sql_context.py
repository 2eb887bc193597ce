"""What a context asks of PostgreSQL: one call of one function, whatever the connection."""

import json
from collections.abc import Iterable, Sequence

from agent_memory.adapters.sql_facts import read_fact
from agent_memory.adapters.sql_memory_draft import vector_text
from agent_memory.adapters.sql_procedures import read_match
from agent_memory.domain.chunking import Span
from agent_memory.domain.context import SUMMARIES, ContextQuery, Gathered, Recall, UsersFacts
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.fusion import HALF_LIFE_DAYS
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.times import from_micros

_BUDGET = 1_500_000
_LEAST_OF_PROCEDURES = 0.3
_OF_FACTS = ("bundle", "fact")


class SqlContextStore:
    """`ContextStore` on the function `memory.context`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def gather(self, tenant_id: str, query: ContextQuery, timeout_s: float) -> Gathered:
        """See `ContextStore.gather`; one call."""
        arguments: dict[str, Scalar] = {
            "tenant": tenant_id,
            "request": _request(query),
            "query": "" if query.vector is None else vector_text(query.vector),
            "budget": min(self._database.max_answer_bytes, _BUDGET),
        }
        rows = self._database.call("context", arguments, timeout_s)
        whole = [row for row in rows if row["record"] is not None]
        return Gathered(
            facts=_facts(query, rows),
            memories=[_recall(row) for row in _of("memory", whole)],
            summaries=[_recall(row) for row in _of("summary", whole)],
            procedures=[read_match(_match_row(row)).response() for row in _of("procedure", whole)],
            partial=any(row["record"] is None for row in rows if row["kind"] not in _OF_FACTS),
        )


def _request(query: ContextQuery) -> str:
    return dumps(
        {
            "now": query.now,
            "as_of": query.as_of,
            "model": query.model,
            "lexemes": list(query.lexemes),
            "top_k": query.top_k,
            "half_life_days": HALF_LIFE_DAYS,
            "agent_id": query.agent_id,
            "user_id": query.user_id,
            "purpose": query.purpose,
            "known_facts": query.known_facts,
            "summaries": SUMMARIES,
            "least": _LEAST_OF_PROCEDURES,
        }
    )


def _of(kind: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _facts(query: ContextQuery, rows: Sequence[Row]) -> UsersFacts | None:
    """The user's facts; None when those that the caller knows still stand, or no user was named."""
    for bundle in _of("bundle", rows):
        if bundle["record"] is not None:
            until = json.loads(_text(bundle, "record"))["until"]
            found = _of("fact", rows)
            told = [json.loads(_text(row, "record")) for row in found if row["record"] is not None]
            return UsersFacts(
                version=str(bundle["id"]),
                facts=tuple(read_fact(record).response() for record in told),
                since=query.as_of or query.now,
                until=None if until is None else from_micros(until),
                partial=len(told) < len(found),
            )
    return None


def _recall(row: Row) -> Recall:
    record, content, start = json.loads(_text(row, "record")), _text(row, "content"), int(str(row["starts_at"]))
    return Recall(
        id=str(row["id"]),
        content=content,
        passage=Span(start, start + len(content)),
        length=int(str(row["length"])),
        score=float(str(row["score"])),
        similarity=None if row["similarity"] is None else float(str(row["similarity"])),
        agent_id=record["agent_id"],
        namespace=record["namespace"],
        user_id=record["user_id"],
        session_id=record["session_id"],
        metadata=parse(record["metadata"]),
        timestamp=from_micros(record["occurred_at"]),
        trust=record["trust"],
    )


def _match_row(row: Row) -> Row:
    """As the function that matches procedures names it."""
    return {**row, "name": row["id"], "version": row["starts_at"], "agent_id": _text(row, "content")}


def _text(row: Row, column: str) -> str:
    value = row[column]
    assert isinstance(value, bytes)  # noqa: S101 - the column is bytea
    return value.decode()
