"""Idempotency records in the control table."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import (
    Item,
    body_pointer,
    check_size,
    document,
    key,
    number,
    read_body,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.idempotency import KEEP, AlreadyAnswered, Answer, IdempotencyRecord
from agent_memory.domain.times import from_micros, to_micros


class DynamoIdempotencyStore:
    """One item for each (tenant, scope)."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, record: IdempotencyRecord, now: datetime) -> None:
        """Keep a record; see `IdempotencyStore.put`."""
        try:
            dynamodb.write(self._client, [self.write_of(record, now)])
        except dynamodb.ConditionFailed as exc:
            raise AlreadyAnswered(stored_record(exc.item)) from exc

    def claim(self, record: IdempotencyRecord, now: datetime) -> IdempotencyRecord:
        """See `IdempotencyStore.claim`."""
        try:
            self.put(record, now)
        except AlreadyAnswered as exc:
            stored = exc.stored
            lapsed = stored.answer is None and stored.lapses_at <= now
            if not lapsed or stored.request_hash != record.request_hash:
                raise
            return self._take_over(stored, record.lapses_at)
        return record

    def finish(self, record: IdempotencyRecord) -> None:
        """Replace the claimed record by its answer."""
        dynamodb.write(self._client, [{"Put": {"TableName": self._table, "Item": _item(record)}}])

    def release(self, record: IdempotencyRecord, now: datetime) -> None:
        """Let the next attempt take over at once."""
        released = replace(record, lapses_at=now)
        dynamodb.write(self._client, [{"Put": {"TableName": self._table, "Item": _item(released)}}])

    def _take_over(self, stored: IdempotencyRecord, lapses_at: datetime) -> IdempotencyRecord:
        taken = replace(stored, lapses_at=lapses_at)
        put = {
            "TableName": self._table,
            "Item": _item(taken),
            "ConditionExpression": "lapses_at = :before",
            "ExpressionAttributeValues": {":before": number(to_micros(stored.lapses_at))},
        }
        try:
            dynamodb.write(self._client, [{"Put": put}])
        except dynamodb.ConditionFailed as exc:
            raise AlreadyAnswered(stored_record(exc.item)) from exc
        return taken

    def write_of(self, record: IdempotencyRecord, now: datetime) -> dict[str, Any]:
        """The write to put into a transaction: it fails when the key is taken."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": _item(record),
                # A lapsed claim is not free: its attempt may have written, so it can only be taken over.
                "ConditionExpression": "attribute_not_exists(pk) OR (lapses_at <= :now AND attribute_exists(#status))",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {":now": number(to_micros(now))},
            }
        }


def stored_record(item: Item) -> IdempotencyRecord:
    """Read a record back."""
    status = read_number(item, "status")
    return IdempotencyRecord(
        tenant_id=str(read_text(item, "tenant_id")),
        scope=str(read_text(item, "scope")),
        request_hash=str(read_text(item, "request_hash")),
        started_at=from_micros(read_number(item, "started_at") or 0),
        lapses_at=from_micros(read_number(item, "lapses_at") or 0),
        answer=None if status is None else Answer(status, read_document(item, "body"), read_body(item)),
    )


def _item(record: IdempotencyRecord) -> Item:
    item: Item = {
        "pk": text(key(record.tenant_id, "IDEMPOTENCY", record.scope)),
        "sk": text("IDEMPOTENCY"),
        "tenant_id": text(record.tenant_id),
        "scope": text(record.scope),
        "request_hash": text(record.request_hash),
        "started_at": number(to_micros(record.started_at)),
        "lapses_at": number(to_micros(record.lapses_at)),
        # Claims outlive their lease: the attempt that takes over needs to know when the first one started.
        "evict_at": number(to_micros(record.started_at + KEEP) // 1_000_000 + 1),
    }
    if record.answer is not None:
        item["status"] = number(record.answer.status)
        if record.answer.body is not None:
            item["body"] = document(record.answer.body)
        if record.answer.body_kept is not None:
            item |= body_pointer(record.answer.body_kept)
    return check_size(item)
