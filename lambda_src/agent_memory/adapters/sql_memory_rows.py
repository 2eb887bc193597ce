"""How the rows of the SQL functions become memories."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from agent_memory.domain.chunking import Span
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.json_document import parse
from agent_memory.domain.semantic import Memory
from agent_memory.domain.semantic_store import Draft, Entry, Hit, Stored
from agent_memory.domain.times import from_micros

_BUDGET = 4_000_000  # a page has 2.5 MB; more is never wanted at once


class Told(NamedTuple):
    """A record as the database tells it, and its content unless that has to be read by itself."""

    record: Mapping[str, Any]
    content: bytes | None


class Reader:
    """Completes rows that name a memory but, for their size, do not hold it."""

    def __init__(self, database: Database, tenant_id: str, at: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._at = at
        self.budget = min(database.max_answer_bytes, _BUDGET)

    def memories(self, rows: Sequence[Row]) -> Iterator[Memory | None]:
        """Yield a memory for each row, reading on only as far as the caller does; None for one that is gone."""
        told = _told(rows)
        for place, row in enumerate(rows):
            if str(row["id"]) not in told:
                told = self._fetch([str(later["id"]) for later in rows[place:]])
            found = told.get(str(row["id"]))
            yield None if found is None else self.memory(found)

    def get(self, memory_id: str) -> Memory | None:
        """One memory."""
        found = self._fetch([memory_id]).get(memory_id)
        return None if found is None else self.memory(found)

    def memory(self, told: Told) -> Memory | None:
        """The record with its content; None when its text was replaced or removed while it was being read."""
        content = self.content(told)
        return None if content is None else read_memory(told.record, content)

    def content(self, told: Told) -> str | None:
        """The whole text."""
        if told.content is not None:
            return told.content.decode()
        pieces: list[bytes] = []
        size, step = int(told.record["bytes"]), self.budget * 3 // 4
        for start in range(0, size, step):
            arguments: dict[str, Scalar] = {
                "tenant": self._tenant_id,
                "id": str(told.record["memory_id"]),
                "revision": int(told.record["revision"]),
                "start": start,
                "bytes": step,
            }
            rows = self._database.call("read_content", arguments)
            if not rows:
                return None
            pieces.append(_bytes(rows[0]) or b"")
        return b"".join(pieces).decode()

    def _fetch(self, ids: Sequence[str]) -> dict[str, Told]:
        arguments: dict[str, Scalar] = {
            "tenant": self._tenant_id,
            "ids": json.dumps(ids),
            "at": self._at,
            "budget": self.budget,
        }
        return _told(self._database.call("fetch", arguments))


def read_memory(record: Mapping[str, Any], content: str) -> Memory:
    """A memory from `memory.describe` and its content."""
    source = None
    if record["source_kind"] is not None:
        source = {"kind": record["source_kind"], "id": record["source_id"]}
    return Memory(
        id=record["memory_id"],
        agent_id=record["agent_id"],
        namespace=record["namespace"],
        user_id=record["user_id"],
        session_id=record["session_id"],
        revision=record["revision"],
        content=content,
        metadata=parse(record["metadata"]),
        purposes=tuple(record["purposes"]),
        source=source,
        trust=record["trust"],
        pinned=record["pinned"],
        pending=record["pending"],
        timestamp=from_micros(record["occurred_at"]),
        created_at=from_micros(record["created_at"]),
        updated_at=from_micros(record["updated_at"]),
        expires_at=None if record["expires_at"] is None else from_micros(record["expires_at"]),
    )


def read_hit(row: Row, memory: Memory) -> Hit:
    """What was found of a memory."""
    similarity, start, end, parts = row["similarity"], row["starts_at"], row["ends_at"], row["parts"]
    return Hit(
        memory,
        similarity=None if similarity is None else float(similarity),
        passage=None if start is None or end is None else Span(int(start), int(end)),
        score=float(row["score"] or 0),
        parts=None if parts is None else json.loads(str(parts)),
    )


def read_stored(outcome: Mapping[str, Any], draft: Draft, merged: Memory | None) -> Stored:
    """What became of a draft; `merged` is the memory that it was merged into, unless that is gone already."""
    if outcome["deduplicated"] and merged is not None:
        return Stored(merged, deduplicated=True)
    new, written = draft.new, from_micros(outcome["updated_at"])
    memory = Memory(
        id=outcome["memory_id"],
        agent_id=new.agent_id,
        namespace=new.namespace,
        user_id=new.user_id,
        session_id=new.session_id,
        revision=outcome["revision"],
        content=new.content,
        metadata=new.metadata or {},
        purposes=tuple(new.purposes or ()),
        source=dict(new.source) if new.source else None,
        trust=outcome["trust"],
        pinned=new.pinned or False,
        timestamp=from_micros(outcome["occurred_at"]),
        created_at=from_micros(outcome["created_at"]),
        updated_at=written,
        expires_at=None if outcome["expires_at"] is None else from_micros(outcome["expires_at"]),
        pending=outcome["pending"],
    )
    return Stored(memory, outcome["deduplicated"], None if outcome["deduplicated"] else outcome["near_id"])


def read_entry(row: Row, reader: Reader) -> Entry | None:
    """One text of a history; None when it went while it was being read."""
    record = json.loads(_bytes(row, "record") or b"{}")
    content = reader.content(Told(record, _bytes(row)))
    if content is None:
        return None
    earlier = row["kind"] == "earlier"
    return Entry(
        kind=row["kind"],  # type: ignore[arg-type] # the function names these three
        id=record["memory_id"],
        revision=record["revision"],
        content=content,
        metadata=parse(record["metadata"]),
        timestamp=from_micros(record["occurred_at"]),
        written_at=from_micros(record["written_at" if earlier else "updated_at"]),
        replaced_at=from_micros(record["replaced_at"]) if earlier else None,
    )


def _told(rows: Sequence[Row]) -> dict[str, Told]:
    """The records among rows, by id."""
    return {str(row["id"]): Told(json.loads(record), _bytes(row)) for row in rows if (record := _bytes(row, "record"))}


def _bytes(row: Row, column: str = "content") -> bytes | None:
    value = row[column]
    assert value is None or isinstance(value, bytes)  # noqa: S101 - the column is bytea
    return value
