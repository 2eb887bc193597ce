"""Facts in PostgreSQL: each operation is one call of one SQL function, whatever the connection."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory.adapters.sql_memory_draft import answer_of
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.fact_names import predicate_key, subject_key
from agent_memory.domain.fact_store import (
    MAX_STATEMENTS,
    CardinalityDiffers,
    Change,
    Changed,
    FactAnswered,
    FactPage,
    FactsAsked,
    PredicateCrowded,
)
from agent_memory.domain.facts import Fact, Saying, Told
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.metadata import value_key
from agent_memory.domain.times import format_time, from_micros, to_micros
from agent_memory.domain.usage import Tally
from agent_memory.errors import PayloadTooLarge

_TIMEOUT_S = 2.0
_ITEM_S = 0.02  # what an item may add
_PURGED = 2_000
_PURGE_TIMEOUT_S = 8.0
_BUDGET = 2_500_000


class SqlFactStore:
    """`FactStore` on the functions of the schema `memory`."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally
        self._budget = min(database.max_answer_bytes, _BUDGET)

    def put(
        self, tenant_id: str, user_id: str, sayings: Sequence[Saying], now: datetime, answer: IdempotencyRecord | None
    ) -> list[Told]:
        """See `FactStore.put`; one call."""
        patience = _TIMEOUT_S + _ITEM_S * len(sayings)
        asked = dumps(
            {
                "now": now,
                "answer": answer_of(answer),
                "user_id": user_id,
                "items": [_item(each) for each in sayings],
                "most": MAX_STATEMENTS,
                "patience_ms": round(patience * 900),  # the rest is for the way there and back
            }
        )
        if len(asked.encode()) > self._database.max_request_bytes:
            raise PayloadTooLarge("the facts are more than one request can carry")
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": asked, "budget": self._budget}
        outcome = self._told(self._database.call("put_facts", arguments, patience))
        if "refused" in outcome:
            raise CardinalityDiffers(outcome["refused"])
        if "crowded" in outcome:
            raise PredicateCrowded(outcome["crowded"])
        told = self._facts(tenant_id, outcome, answer)
        for saying in sayings:
            if saying.new.agent_id is not None:
                self._tally.stored(saying.new.agent_id, saying.new.session_id)
        return told

    def change(
        self, tenant_id: str, fact_id: str, change: Change, now: datetime, answer: IdempotencyRecord | None
    ) -> Told | Changed:
        """See `FactStore.change`; one call."""
        request = {"now": now, "answer": answer_of(answer), "what": change, "patience_ms": round(_TIMEOUT_S * 900)}
        asked: dict[str, Scalar] = {"tenant": tenant_id, "id": fact_id, "request": dumps(request)}
        outcome = self._told(self._database.call("change_fact", {**asked, "budget": self._budget}, _TIMEOUT_S))
        if outcome.get("state", "done") != "done":
            state: Changed = outcome["state"]
            return state
        (told,) = self._facts(tenant_id, outcome, answer)
        return told

    def facts(self, tenant_id: str, asked: FactsAsked) -> FactPage:
        """See `FactStore.facts`; one call."""
        after = asked.after
        request = {
            "now": asked.now,
            "user_id": asked.user_id,
            "agent_id": asked.agent_id,
            "subject_key": asked.subject_key,
            "predicate_key": asked.predicate_key,
            "as_of": asked.as_of,
            "known_at": asked.known_at,
            "purpose": asked.purpose,
            "after_at": after.valid_from if after else None,
            "after_id": after.id if after else None,
            "limit": asked.limit,
        }
        arguments: dict[str, Scalar] = {"tenant": tenant_id, "request": dumps(request), "budget": self._budget}
        rows = self._database.call("list_facts", arguments, _TIMEOUT_S)
        facts = [read_fact(json.loads(_bytes(row, "record"))) for row in rows]
        if not rows:
            return FactPage([], more=False, as_of=asked.as_of or asked.now, known_at=asked.known_at or asked.now)
        meant = [from_micros(int(str(rows[0][name]))) for name in ("as_of", "known_at")]
        return FactPage(facts, bool(rows[-1]["more"]), meant[0], meant[1])

    def history(
        self, tenant_id: str, fact_id: str, now: datetime, before: datetime | None, limit: int
    ) -> tuple[list[Fact], bool]:
        """See `FactStore.history`; one call."""
        asked: dict[str, Scalar] = {
            "tenant": tenant_id,
            "id": fact_id,
            "at": format_time(now),
            "before": None if before is None else to_micros(before),
            "top": limit,
            "budget": self._budget,
        }
        rows = self._database.call("fact_history", asked, _TIMEOUT_S)
        return [read_fact(json.loads(_bytes(row, "record"))) for row in rows], bool(rows and rows[-1]["more"])

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """See `FactStore.purge`; one call for up to 2,000 facts."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "agent": agent_id, "at_most": _PURGED}
        (row,) = self._database.call("purge_facts", asked, _PURGE_TIMEOUT_S)
        return int(str(row["removed"]))

    def _told(self, rows: Sequence[Row]) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(_bytes(rows[0], "told"))
        return told

    def _facts(self, tenant_id: str, outcome: Mapping[str, Any], answer: IdempotencyRecord | None) -> list[Told]:
        replayed = outcome.get("replayed")
        if replayed is not None and (answer is None or replayed != answer.request_hash):
            raise FactAnswered(replayed, [])
        told = list(self._completed(tenant_id, outcome["facts"] or [], outcome.get("known_at")))
        if replayed is not None:
            raise FactAnswered(replayed, told)
        return told

    def _completed(self, tenant_id: str, facts: list[Any], known_at: str | None) -> list[Told]:
        """What had no room in the answer is read by calls of its own."""
        done: list[Told] = []
        while facts:
            fits = [each for each in facts if each["fact"] is not None]
            if not fits:  # not even the first: it has been removed meanwhile
                return done
            done += [Told(read_fact(each["fact"]), tuple(each["superseded"])) for each in fits]
            ids = [each["id"] for each in facts[len(fits) :]]
            if not ids:
                return done
            asked: dict[str, Scalar] = {"tenant": tenant_id, "ids": json.dumps(ids), "known_at": known_at}
            facts = json.loads(_bytes(self._database.call("read_facts", {**asked, "budget": self._budget})[0], "told"))
        return done


def read_fact(record: Mapping[str, Any]) -> Fact:
    """A fact from `memory.describe_fact`."""
    source = None
    if record["source_kind"] is not None:
        source = {"kind": record["source_kind"], "id": record["source_id"]}
    told = {name: record[name] for name in Fact.__slots__ if name in record}
    times = {name: _time(record[name]) for name in ("valid_from", "valid_to", "known_from", "known_to", "expires_at")}
    parsed = {"value": parse(record["value"]), "metadata": parse(record["metadata"])}
    return Fact(**told | times | parsed | {"source": source, "purposes": tuple(record["purposes"])})


def _item(saying: Saying) -> JsonObject:
    new = saying.new
    return {
        "id": saying.id,
        "agent_id": new.agent_id,
        "subject": new.subject,
        "predicate": new.predicate,
        "subject_key": subject_key(new.subject),
        "predicate_key": predicate_key(new.predicate),
        "cardinality": new.cardinality,
        "value": dumps(new.value),
        "value_key": value_key(new.value),
        "valid_from": new.valid_from,
        "valid_to": new.valid_to,
        "session_id": new.session_id,
        "source_kind": new.source.kind if new.source else None,
        "source_id": new.source.id if new.source else None,
        "trust": new.trust or "direct_user",
        "metadata": dumps(new.metadata or {}),
        "purposes": new.purposes or [],
        "expires_at": saying.expires_at,
    }


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _bytes(row: Row, column: str) -> bytes:
    value = row[column]
    assert isinstance(value, bytes)  # noqa: S101 - the column is bytea
    return value
