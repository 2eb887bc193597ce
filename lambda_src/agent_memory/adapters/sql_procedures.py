"""Procedures in PostgreSQL: each operation is one call of one SQL function; pages of large ones take more calls."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from agent_memory.adapters.sql_memory_draft import answer_of, vector_text
from agent_memory.domain.database import Call, Database, Row, Scalar, StatementRefused
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.metadata import value_key
from agent_memory.domain.procedure_store import (
    MAX_PROCEDURES,
    Match,
    Matches,
    ProcedureAnswered,
    ProcedureDraft,
    ProcedurePosition,
    ProcedureSearch,
    Put,
)
from agent_memory.domain.procedures import Procedure
from agent_memory.domain.times import from_micros
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict

_TIMEOUT_S = 2.0
_EACH_S = 0.5  # what each of several may add
_PURGED = 200
_PURGE_TIMEOUT_S = 8.0
_BUDGET = 4_000_000
_TOO_MANY = "54000"


class SqlProcedureStore:
    """`ProcedureStore` on the functions of the schema `memory`; tells the tally what it stored and removed."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally
        self._budget = min(database.max_answer_bytes, _BUDGET)

    def put(self, tenant_id: str, draft: ProcedureDraft, now: datetime, answer: IdempotencyRecord | None) -> Put:
        """See `ProcedureStore.put`; one call."""
        (told,) = self._call_all([_put(tenant_id, draft, now, answer)], _TIMEOUT_S)
        replayed = told["replayed"]
        if replayed is None:
            return self._done(draft, told)
        same = answer is not None and replayed == answer.request_hash
        raise ProcedureAnswered(str(replayed), _made(draft, told) if same else None)

    def put_all(self, tenant_id: str, drafts: Sequence[ProcedureDraft], now: datetime) -> list[Put]:
        """See `ProcedureStore.put_all`; one transaction."""
        calls = [_put(tenant_id, draft, now, None) for draft in drafts]
        told = self._call_all(calls, _TIMEOUT_S + _EACH_S * len(drafts))
        return [self._done(draft, row) for draft, row in zip(drafts, told, strict=True)]

    def _call_all(self, calls: Sequence[Call], timeout_s: float) -> list[Row]:
        try:
            return [rows[0] for rows in self._database.call_all(calls, timeout_s)]
        except StatementRefused as exc:
            if exc.code != _TOO_MANY:
                raise
            raise Conflict(f"there are {MAX_PROCEDURES} procedures already; delete one first") from exc

    def _done(self, draft: ProcedureDraft, told: Row) -> Put:
        self._tally.vectors += _int(told["added"])
        if draft.agent_id is not None:
            self._tally.stored(draft.agent_id, None)
        return _made(draft, told)

    def get(
        self, tenant_id: str, name: str, agent_id: str | None, version: int | None, now: datetime
    ) -> Procedure | None:
        """See `ProcedureStore.get`; one call."""
        request = {"now": now, "name": name, "agent_id": agent_id, "version": version}
        rows = self._database.call("get_procedure", {"tenant": tenant_id, "request": dumps(request)})
        return _procedure(rows[0]) if rows else None

    def walk(
        self, tenant_id: str, agent_id: str | None, after: ProcedurePosition | None, page_size: int, now: datetime
    ) -> Iterator[tuple[ProcedurePosition, Procedure]]:
        """See `ProcedureStore.walk`; one call for as many as an answer carries."""
        while True:
            position = {"after_name": after.name, "after_agent": after.agent_id} if after else {}
            request = {"now": now, "agent_id": agent_id, "limit": page_size, **position}
            rows = self._page("list_procedures", tenant_id, request)
            for row in rows:
                after = ProcedurePosition(str(row["name"]), str(row["agent_id"]))
                yield after, _procedure(row)
            if not rows or len(rows) == _int(rows[0]["found"]) < page_size:
                return

    def versions(
        self, tenant_id: str, name: str, agent_id: str | None, before: int | None, page_size: int, now: datetime
    ) -> Iterator[tuple[int, Procedure]]:
        """See `ProcedureStore.versions`; one call for as many as an answer carries."""
        while before != 1:
            request = {"now": now, "name": name, "agent_id": agent_id, "before": before, "limit": page_size}
            rows = self._page("list_procedure_versions", tenant_id, request)
            for row in rows:
                before = _int(row["version"])
                yield before, _procedure(row)
            if not rows or len(rows) == _int(rows[0]["found"]) < page_size:
                return

    def match(self, tenant_id: str, search: ProcedureSearch) -> Matches:
        """See `ProcedureStore.match`; one call."""
        request = {
            "now": search.now,
            "agent_id": search.agent_id,
            "user_id": search.user_id,
            "purpose": search.purpose,
            "model": search.model,
            "lexemes": list(search.lexemes),
            "top_k": search.top_k,
            "least": search.least,
        }
        rows = self._page("match", tenant_id, request, query=vector_text(search.vector))
        return Matches([read_match(row) for row in rows], partial=bool(rows) and len(rows) < _int(rows[0]["found"]))

    def delete(
        self, tenant_id: str, name: str, agent_id: str | None, now: datetime, answer: IdempotencyRecord | None
    ) -> bool:
        """See `ProcedureStore.delete`; one call."""
        request = dumps({"now": now, "name": name, "agent_id": agent_id or "", "answer": answer_of(answer)})
        (row,) = self._database.call("delete_procedure", {"tenant": tenant_id, "request": request})
        if row["replayed"] is not None:
            raise ProcedureAnswered(str(row["replayed"]), None)
        self._tally.vectors -= _int(row["vectors"])
        return bool(row["deleted"])

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """See `ProcedureStore.purge`; one call for up to 200."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "agent": agent_id, "at_most": _PURGED}
        (row,) = self._database.call("purge_procedures", asked, _PURGE_TIMEOUT_S)
        self._tally.vectors -= _int(row["vectors"])
        return _int(row["removed"])

    def _page(self, function: str, tenant_id: str, request: Mapping[str, object], **more: Scalar) -> list[Row]:
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": dumps(request), "budget": self._budget, **more}
        return self._database.call(function, arguments, _TIMEOUT_S)


def _put(tenant_id: str, draft: ProcedureDraft, now: datetime, answer: IdempotencyRecord | None) -> Call:
    content = draft.content
    request = dumps(
        {
            "now": now,
            "agent_id": draft.agent_id or "",
            "name": draft.name,
            "content_key": value_key(content),
            "user_id": content["user_id"],
            "purposes": content["purposes"],
            "expires_at": draft.expires_at,
            "most": MAX_PROCEDURES,
            "models": [{"model": each.model, "dimensions": len(each.vectors[0])} for each in draft.vectors],
            "phrases": [{"text": each.phrase, "lexemes": list(each.lexemes)} for each in draft.triggers],
            "answer": answer_of(answer),
        }
    )
    vectors = "\n".join(vector_text(vector) for each in draft.vectors for vector in each.vectors)
    arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": request, "record": dumps(content)}
    return Call("put_procedure", {**arguments, "vectors": vectors})


def _made(draft: ProcedureDraft, told: Row) -> Put:
    outcome = json.loads(str(told["outcome"]))
    procedure = Procedure(
        name=draft.name,
        agent_id=draft.agent_id,
        version=outcome["version"],
        content=draft.content,
        created_at=from_micros(outcome["created_at"]),
        updated_at=from_micros(outcome["updated_at"]),
        expires_at=draft.expires_at,
    )
    return Put(procedure, outcome["created"])


def read_match(row: Row) -> Match:
    """A match from a row of `memory.match`, or from another function's that names its columns so."""
    similarity = None if row["similarity"] is None else _float(row["similarity"])
    return Match(_procedure(row), str(row["phrase"]), _float(row["score"]), similarity, _float(row["overlap"]))


def _procedure(row: Row) -> Procedure:
    record, expires_at = row["record"], row["expires_at"]
    assert isinstance(record, bytes)  # noqa: S101 - the column is bytea
    return Procedure(
        name=str(row["name"]),
        agent_id=str(row["agent_id"]) or None,
        version=_int(row["version"]),
        content=parse(record.decode()),
        created_at=from_micros(_int(row["created_at"])),
        updated_at=from_micros(_int(row["updated_at"])),
        expires_at=None if expires_at is None else from_micros(_int(expires_at)),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - the column is an integer
    return value


def _float(value: object) -> float:
    assert isinstance(value, int | float)  # noqa: S101 - the column is a number
    return float(value)
