"""The tool-call ledger in the memory table: one item for each call, beside the steps of its run."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import (
    Item,
    check_size,
    document,
    item_bytes,
    key_part,
    number,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.adapters.dynamodb_run_item import TOOL, expiry, pointed_until, pointer_item, read_expiry, run_key
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.runs import RunKey
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.domain.tool_calls import CallChanged, CallKey, ToolCall
from agent_memory.domain.usage import Tally


class DynamoToolLedger:
    """`ToolLedger` on DynamoDB; tells the tally what it stored."""

    def __init__(self, client: AwsJsonClient, table: str, idempotency: DynamoIdempotencyStore, tally: Tally) -> None:
        self._client = client
        self._table = table
        self._idempotency = idempotency
        self._tally = tally

    def get(self, key: CallKey) -> ToolCall | None:
        """See `ToolLedger.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(key))
        return _read_call(key, item) if item else None

    def put(self, call: ToolCall, over: ToolCall | None, answer: IdempotencyRecord | None) -> None:
        """See `ToolLedger.put`; one call, and for a claim another before it."""
        write_id = os.urandom(9).hex()
        item = check_size(_item(call, write_id))
        self._tally.need("dynamo_bytes", item_bytes(item))
        if call.status == "claimed":
            self._point_to(call)
        put: dict[str, Any] = {"TableName": self._table, "Item": item, **_condition(over)}
        now = call.completed_at or call.claimed_at
        answers = [] if answer is None else [self._idempotency.write_of(answer, now)]
        try:
            dynamodb.write(self._client, [{"Put": put}, *answers])
        except dynamodb.ConditionFailed as exc:
            if exc.index == 1:
                raise AlreadyAnswered(stored_record(exc.item)) from exc
            # The answer to an earlier attempt was lost: what stands in the way is this very write.
            if not (exc.resent and read_text(exc.item, "write_id") == write_id):
                raise CallChanged(_read_call(call.key, exc.item) if exc.item else None) from exc
        replaced = item_bytes(_item(over, write_id)) if over else 0
        self._tally.stored(call.agent_id, call.session_id, item_bytes(item) - replaced)

    def _point_to(self, call: ToolCall) -> None:
        """Let a purge of the agent find the call, before it is there. By itself: calls of one run must not collide."""
        run, until = RunKey(call.key.tenant_id, call.key.run_id), pointed_until(call.expires_at)
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": pointer_item("TOOLS", run, call.agent_id, until),
        }
        if until is not None:
            put["ConditionExpression"] = "attribute_not_exists(pk) OR evict_at < :until"
            put["ExpressionAttributeValues"] = {":until": number(until)}
        with suppress(dynamodb.ConditionFailed):  # the one that is there stays longer
            dynamodb.write(self._client, [{"Put": put}])


def _item_key(call_key: CallKey) -> Item:
    return {"pk": run_key(call_key.tenant_id, call_key.run_id), "sk": text(TOOL + key_part(call_key.call_id))}


def _condition(over: ToolCall | None) -> dict[str, Any]:
    """A claim has an id of its own and ends in one outcome, so these two tell one record from every other."""
    if over is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "claim_id = :claim AND #status = :status",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":claim": text(over.claim_id), ":status": text(over.status)},
    }


def _item(call: ToolCall, write_id: str) -> Item:
    item = {
        **_item_key(call.key),
        "call_id": text(call.key.call_id),
        "agent_id": text(call.agent_id),
        "tool": text(call.tool),
        "arguments_hash": text(call.arguments_hash),
        "status": text(call.status),
        "attempt": number(call.attempt),
        "claim_id": text(call.claim_id),
        "claimed_at": number(to_micros(call.claimed_at)),
        "lease_until": number(to_micros(call.lease_until)),
        "body": document({"outcome": call.outcome, **call.annotations}),
        "write_id": text(write_id),
        **expiry(call.expires_at),
    }
    if call.session_id is not None:
        item["session_id"] = text(call.session_id)
    if call.completed_at is not None:
        item["completed_at"] = number(to_micros(call.completed_at))
    return item


def _read_call(call_key: CallKey, item: Mapping[str, Any]) -> ToolCall:
    body, completed_at = read_document(item, "body"), read_number(item, "completed_at")
    return ToolCall(
        key=call_key,
        agent_id=str(read_text(item, "agent_id")),
        session_id=read_text(item, "session_id"),
        tool=str(read_text(item, "tool")),
        arguments_hash=str(read_text(item, "arguments_hash")),
        status=item["status"]["S"],
        attempt=read_number(item, "attempt") or 0,
        claim_id=str(read_text(item, "claim_id")),
        claimed_at=from_micros(read_number(item, "claimed_at") or 0),
        lease_until=from_micros(read_number(item, "lease_until") or 0),
        completed_at=None if completed_at is None else from_micros(completed_at),
        outcome=body.pop("outcome"),
        expires_at=read_expiry(item),
        annotations=body,
    )
