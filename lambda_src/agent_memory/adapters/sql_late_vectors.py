"""Vectors that come after their text, in PostgreSQL."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from agent_memory.adapters.sql_memory_draft import chunk_line, model_list
from agent_memory.adapters.sql_memory_rows import Reader, Told
from agent_memory.domain.chunking import Span
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.json_document import dumps
from agent_memory.domain.late_vectors import Added, Compared, Lacking, Piece, Window
from agent_memory.domain.times import format_time
from agent_memory.domain.usage import Tally

_WINDOW = 200
_TIMEOUT_S = 10.0
_COMPARE_S = 30.0
_SAMPLE = 10
_TOP_K = 10
_REMOVED = 2_000


class SqlLateVectors:
    """`LateVectors` on the functions of the schema `memory`."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally

    def read(self, tenant_id: str, ids: Sequence[str], models: Sequence[str], now: datetime) -> Sequence[Lacking]:
        """See `LateVectors.read`; one call, and more for long texts."""
        rows = self._lacking(tenant_id, {"models": models, "now": now, "ids": ids})
        return [*_texts(rows, Reader(self._database, tenant_id, format_time(now)))]

    def window(
        self, tenant_id: str, models: Sequence[str], now: datetime, after: str | None, *, awaiting: bool
    ) -> Window:
        """See `LateVectors.window`; one call for 200 memories, and more for long texts."""
        asked = {"models": models, "now": now, "after": after, "awaiting": awaiting, "limit": _WINDOW}
        rows = self._lacking(tenant_id, asked)
        place = _json(rows[-1])
        texts = [*_texts(rows, Reader(self._database, tenant_id, format_time(now)))]
        looked = int(place["looked"] or 0)
        return Window(texts, looked, str(place["after"]) if looked == _WINDOW else None)

    def add(self, tenant_id: str, text: Lacking, spans: int, pieces: Sequence[Piece], gone: Sequence[str]) -> Added:
        """See `LateVectors.add`; one call."""
        models = list(dict.fromkeys(piece.model for piece in pieces))
        request = {
            "revision": text.revision,
            "content_key": text.content_key,
            "models": model_list(models),
            "pieces": spans,
            "gone": gone,
        }
        lines = (chunk_line(models.index(each.model), each.ordinal, each.span, each.vector) for each in pieces)
        arguments: dict[str, Scalar] = {
            "tenant": tenant_id,
            "id": text.id,
            "request": dumps(request),
            "chunks": "\n".join(lines) or None,
        }
        (told,) = self._database.call("add_vectors", arguments, _TIMEOUT_S)
        self._tally.vectors += int(told["pieces"] or 0)
        return Added(bool(told["there"]), bool(told["awaits"]))

    def compare(self, tenant_id: str, old: str, new: str, now: datetime, after: str | None) -> Compared:
        """See `LateVectors.compare`; one call for ten searches."""
        asked = {"old": old, "new": new, "now": now, "after": after, "sample": _SAMPLE, "top_k": _TOP_K}
        (told,) = self._database.call("compare_models", {"tenant": tenant_id, "request": dumps(asked)}, _COMPARE_S)
        asked_of, wanted, found = (int(told[name] or 0) for name in ("asked", "wanted", "recalled"))
        return Compared(asked_of, wanted, found, None if told["after"] is None else str(told["after"]))

    def remove(self, tenant_id: str, model: str) -> int:
        """See `LateVectors.remove`; one call for 2,000 vectors."""
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "model": model, "at_most": _REMOVED}
        (told,) = self._database.call("remove_model", arguments, _TIMEOUT_S)
        return int(told["removed"] or 0)

    def _lacking(self, tenant_id: str, asked: dict[str, Any]) -> list[Row]:
        budget = Reader(self._database, tenant_id, "").budget
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": dumps(asked), "budget": budget}
        return self._database.call("lacking", arguments, _TIMEOUT_S)


def _texts(rows: Sequence[Row], reader: Reader) -> Iterator[Lacking]:
    """Those of rows; one whose text changed while it was read is met again by whoever looks again."""
    for row in rows:
        if row["id"] is None:
            continue
        record, content = _json(row), row["content"]
        assert content is None or isinstance(content, bytes)  # noqa: S101 - the column is bytea
        text = reader.content(Told(record, content))
        if text is not None:
            yield Lacking(
                id=record["memory_id"],
                revision=record["revision"],
                content_key=record["content_key"],
                content=text,
                pieces=record["pieces"],
                pending=tuple(record["pending"]),
                has=record["has"] or {},
                spans=tuple(Span(*span) for span in record["spans"]) if record["spans"] else None,
            )


def _json(row: Row) -> dict[str, Any]:
    record = row["record"]
    assert isinstance(record, bytes)  # noqa: S101 - the column is bytea
    told: dict[str, Any] = json.loads(record)
    return told
