"""Semantic memory in PostgreSQL: each operation is one call of one SQL function, whatever the connection.

Only answers and requests that are larger than the connection carries at once take more calls.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from agent_memory.adapters.sql_memory_draft import answer_of, store_calls, vector_text
from agent_memory.adapters.sql_memory_rows import Reader, read_entry, read_hit, read_stored
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.domain.semantic import Memory
from agent_memory.domain.semantic_store import (
    Draft,
    Entry,
    Hit,
    MemoryPosition,
    MemorySearch,
    MemoryWalk,
    RequestAnswered,
    Stored,
)
from agent_memory.domain.times import format_time, from_micros
from agent_memory.domain.usage import Tally

_TIMEOUT_S = 2.0
_CHUNK_S = 0.02  # what a chunk may add: most of it is its place in the graph
_LONGEST_S = 40.0  # a call of the Data API ends at 45 s
_PURGED_CHUNKS = 5_000
_PURGE_TIMEOUT_S = 8.0
_EXPIRED = 500


class SqlMemoryStore:
    """`MemoryStore` on the functions of the schema `memory`; tells the tally what it stored and removed."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally

    def store(
        self, tenant_id: str, drafts: Sequence[Draft], model: str, now: datetime, answer: IdempotencyRecord | None
    ) -> list[Stored]:
        """See `MemoryStore.store`; one call, or one transaction of several for very long texts."""
        patience = min(
            _TIMEOUT_S + _CHUNK_S * sum(len(draft.spans) * max(1, len(draft.vectors)) for draft in drafts), _LONGEST_S
        )
        calls = store_calls(tenant_id, drafts, model, now, answer, self._database.max_request_bytes, patience)
        ((told,), *_) = self._database.call_all(calls, patience)
        replayed = told["replayed"]
        if replayed is not None and (answer is None or replayed != answer.request_hash):
            raise RequestAnswered(str(replayed), [])
        if replayed is None:  # before anything else can fail: it is done
            self._tally.vectors += _int(told["vectors"])
        stored = self._stored(tenant_id, now, drafts, told)
        if replayed is not None:
            raise RequestAnswered(str(replayed), stored)
        for draft in drafts:
            self._tally.stored(draft.new.agent_id, draft.new.session_id)
        return stored

    def _stored(self, tenant_id: str, now: datetime, drafts: Sequence[Draft], told: Row) -> list[Stored]:
        outcomes = json.loads(str(told["outcomes"]))
        # What was merged may say more than its draft: one comes along, several are read.
        rows: list[Row] = [
            {"id": each["memory_id"], "record": told["merged_record"], "content": draft.new.content.encode()}
            for each, draft in zip(outcomes, drafts, strict=True)
            if each["deduplicated"]
        ]
        merged = self._reader(tenant_id, now).memories(rows)
        return [
            read_stored(each, draft, next(merged) if each["deduplicated"] else None)
            for each, draft in zip(outcomes, drafts, strict=True)
        ]

    def search(self, tenant_id: str, search: MemorySearch) -> Iterator[Hit]:
        """See `MemoryStore.search`; one call."""
        reader = self._reader(tenant_id, search.now)
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": _asked(search), "budget": reader.budget}
        query = "" if search.vector is None else vector_text(search.vector)
        rows = self._database.call("search", {**arguments, "query": query}, _TIMEOUT_S)
        for row, memory in zip(rows, reader.memories(rows), strict=True):
            if memory is not None:
                yield read_hit(row, memory)

    def recall(self, tenant_id: str, search: MemorySearch) -> float | None:
        """See `MemoryStore.recall`; one call, which reads every vector that the search is about."""
        assert search.vector is not None  # noqa: S101 - there is nothing to be near to
        asked: dict[str, Scalar] = {"tenant": tenant_id, "request": _asked(search), "query": vector_text(search.vector)}
        (row,) = self._database.call("search_recall", asked, _TIMEOUT_S)
        return _int(row["found"]) / _int(row["nearest"]) if row["nearest"] else None

    def get(self, tenant_id: str, memory_id: str, now: datetime) -> Memory | None:
        """See `MemoryStore.get`; one call."""
        return self._reader(tenant_id, now).get(memory_id)

    def walk(self, tenant_id: str, walk: MemoryWalk) -> Iterator[tuple[MemoryPosition, Memory | None]]:
        """See `MemoryStore.walk`; one call while nothing went in the meantime."""
        reader = self._reader(tenant_id, walk.now)
        rows = self._database.call("list", {"tenant": tenant_id, "request": _walk(walk), "budget": reader.budget})
        position = walk.after
        for row, memory in zip(rows, reader.memories(rows), strict=True):
            position = MemoryPosition(from_micros(_int(row["created_at"])), str(row["id"]))
            yield position, memory
        if len(rows) == walk.page_size:
            yield from self.walk(tenant_id, replace(walk, after=position))

    def history(self, tenant_id: str, memory_id: str, now: datetime) -> Iterator[Entry]:
        """See `MemoryStore.history`; one call for as many texts as an answer carries."""
        reader = self._reader(tenant_id, now)
        asked: dict[str, Scalar] = {"tenant": tenant_id, "id": memory_id, "at": format_time(now)}
        seen, total = 0, 1
        while seen < total:
            rows = self._database.call("history", {**asked, "budget": reader.budget, "skipped": seen})
            for row in rows:
                entry = read_entry(row, reader)
                if entry is not None:
                    yield entry
            total = _int(rows[0]["entries"]) if rows else 0
            seen += len(rows)

    def delete(self, tenant_id: str, memory_id: str, now: datetime, answer: IdempotencyRecord | None) -> bool:
        """See `MemoryStore.delete`; one call."""
        request = dumps({"now": now, "answer": answer_of(answer)})
        (row,) = self._database.call("delete", {"tenant": tenant_id, "id": memory_id, "request": request})
        if row["replayed"] is not None:
            raise RequestAnswered(str(row["replayed"]), [])
        self._tally.vectors -= _int(row["vectors"])
        return bool(row["deleted"])

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """See `MemoryStore.purge`; one call for up to 5,000 chunks."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "agent": agent_id, "at_most": _PURGED_CHUNKS}
        (row,) = self._database.call("purge_agent", asked, _PURGE_TIMEOUT_S)
        self._tally.vectors -= _int(row["vectors"])
        return _int(row["removed"])

    def remove_expired(self, tenant_id: str, now: datetime) -> int:
        """See `MemoryStore.remove_expired`; one call for up to 500 memories."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "at": format_time(now), "at_most": _EXPIRED}
        (row,) = self._database.call("remove_expired", asked, _PURGE_TIMEOUT_S)
        self._tally.vectors -= _int(row["vectors"])
        return _int(row["vectors"])

    def _reader(self, tenant_id: str, now: datetime) -> Reader:
        return Reader(self._database, tenant_id, format_time(now))


def _asked(search: MemorySearch) -> str:
    return dumps(
        {
            "now": search.now,
            "mode": search.mode,
            "model": search.model,
            "lexemes": search.lexemes,
            "top_k": search.top_k,
            "reach": 2.0 if search.threshold is None else 1 - search.threshold,
            "agent_id": search.agent_id,
            "namespace": search.namespace,
            "user_id": search.user_id,
            "session_id": search.session_id,
            "from": search.start,
            "to": search.end,
            "entries": search.entries,
            "as_of": search.as_of,
            "purpose": search.purpose,
            "min_trust": search.min_trust,
            "half_life_days": search.half_life_days,
            "explain": search.explain,
        }
    )


def _walk(walk: MemoryWalk) -> str:
    after = walk.after
    return dumps(
        {
            "now": walk.now,
            "agent_id": walk.agent_id,
            "namespace": walk.namespace,
            "user_id": walk.user_id,
            "after_at": after.created_at if after else None,
            "after_id": after.id if after else None,
            "limit": walk.page_size,
        }
    )


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the column is an integer
    return value
