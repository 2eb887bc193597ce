"""Working memory in the memory table: one item for each session, in the agent's first bucket.

State is never spread over buckets: a conditional write needs one key for ever, and DynamoDB itself splits a
partition between sort keys that do not grow with time.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsError, AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import (
    Item,
    check_size,
    document,
    key,
    key_part,
    number,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import State, StateChange, StateKey, VersionMismatch
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.errors import PayloadTooLarge

_KIND = "SESSION#"
_ANNOTATIONS = ("user_id", "purposes", "metadata", "source", "trust")
_LIVE = "(attribute_not_exists(expires_at) OR expires_at > :now)"


class DynamoStateStore:
    """`StateStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str, idempotency: DynamoIdempotencyStore) -> None:
        self._client = client
        self._table = table
        self._idempotency = idempotency

    def get(self, key: StateKey, now: datetime) -> State | None:
        """Read a live record; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(key))
        return _live_state(key, item, now)

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        """See `StateStore.put`; one call."""
        write_id = os.urandom(9).hex()
        values = {":now": number(to_micros(state.updated_at))}
        if state.version == 1:
            condition = "attribute_not_exists(pk) OR expires_at <= :now"
        else:
            condition = f"version = :before AND {_LIVE}"
            values[":before"] = number(state.version - 1)
        put = {
            "TableName": self._table,
            "Item": check_size(_item(state, write_id)),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        self._write({"Put": put}, state.key, write_id, answer, state.updated_at)

    def update(self, change: StateChange) -> State:
        """See `StateStore.update`; one call."""
        write_id = os.urandom(9).hex()
        update = {"TableName": self._table, "Key": _item_key(change.key), "ReturnValues": "ALL_NEW"}
        update |= _update_expression(change, write_id)
        try:
            item = self._write({"Update": update}, change.key, write_id, None, change.updated_at)
        except AwsError as exc:
            # Only the service can tell how large the rest of the record is.
            if exc.code == "ValidationException" and "size" in str(exc.body.get("message")):
                raise PayloadTooLarge("the record would have over 400,000 bytes after compression") from exc
            raise
        return _state(change.key, item)

    def delete(self, key: StateKey, now: datetime, answer: IdempotencyRecord | None) -> bool:
        """See `StateStore.delete`; one call."""
        delete = {
            "TableName": self._table,
            "Key": _item_key(key),
            "ConditionExpression": f"attribute_exists(pk) AND {_LIVE}",
            "ExpressionAttributeValues": {":now": number(to_micros(now))},
        }
        try:
            self._write({"Delete": delete}, key, "", answer, now)
        except VersionMismatch:
            return False
        return True

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, str | None]]:
        """See `StateStore.sessions`; a position is the session's part of the sort key."""
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
            "ProjectionExpression": "sk, session_id, expires_at",
            "ConsistentRead": True,
            "ExpressionAttributeValues": {
                ":pk": text(key(tenant_id, agent_id, "0")),
                # The smallest character after a position is the next position that can exist.
                ":from": text(_KIND if after is None else f"{_KIND}{after}\x01"),
                ":to": text("SESSION$"),
            },
        }
        for page in dynamodb.query(self._client, request, budget.spend):
            for item in page:
                expires_at = read_number(item, "expires_at")
                live = expires_at is None or expires_at > to_micros(now)
                position = str(read_text(item, "sk")).removeprefix(_KIND)
                yield position, read_text(item, "session_id") if live else None

    def _write(
        self,
        write: dict[str, Any],
        state_key: StateKey,
        write_id: str,
        answer: IdempotencyRecord | None,
        now: datetime,
    ) -> Item:
        writes = [write] if answer is None else [write, self._idempotency.write_of(answer, now)]
        try:
            written: Item = dynamodb.write(self._client, writes).get("Attributes", {})
        except dynamodb.ConditionFailed as exc:
            if exc.index == 1:
                raise AlreadyAnswered(stored_record(exc.item)) from exc
            # The answer to an earlier attempt was lost: what stands in the way is this very write.
            if exc.resent and read_text(exc.item, "write_id") == (write_id or None):
                return exc.item
            raise VersionMismatch(_live_state(state_key, exc.item, now)) from exc
        return written


def _item_key(state_key: StateKey) -> Item:
    return {
        "pk": text(key(state_key.tenant_id, state_key.agent_id, "0")),
        "sk": text(_KIND + key_part(state_key.session_id)),
    }


def _item(state: State, write_id: str) -> Item:
    return {
        **_item_key(state.key),
        "agent_id": text(state.key.agent_id),
        "session_id": text(state.key.session_id),
        "version": number(state.version),
        "body": document(state.data),
        "created_at": number(to_micros(state.created_at)),
        "updated_at": number(to_micros(state.updated_at)),
        "write_id": text(write_id),
        **_expiry(state.expires_at),
        **{name: document(value) for name, value in state.annotations.items()},
    }


def _expiry(expires_at: datetime | None) -> Item:
    if expires_at is None:
        return {}
    micros = to_micros(expires_at)
    return {"expires_at": number(micros), "evict_at": number(micros // 1_000_000 + 1)}


def _update_expression(change: StateChange, write_id: str) -> dict[str, Any]:
    new = {
        "body": document(change.data),
        "version": number(change.version),
        "updated_at": number(to_micros(change.updated_at)),
        "write_id": text(write_id),
        **_expiry(change.expires_at),
        **{name: document(value) for name, value in change.annotations.items()},
    }
    check_size(new)
    values = {f":{name}": value for name, value in new.items()}
    values[":before"] = number(change.version - 1)
    values[":now"] = new["updated_at"]
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in new),
        "ConditionExpression": f"version = :before AND {_LIVE}",
        "ExpressionAttributeNames": {f"#{name}": name for name in new},
        "ExpressionAttributeValues": values,
    }


def _live_state(state_key: StateKey, item: Item | None, now: datetime) -> State | None:
    if not item:
        return None
    state = _state(state_key, item)
    return state if state.is_live(now) else None


def _state(state_key: StateKey, item: Item) -> State:
    expires_at = read_number(item, "expires_at")
    return State(
        key=state_key,
        data=read_document(item, "body"),
        version=read_number(item, "version") or 0,
        created_at=from_micros(read_number(item, "created_at") or 0),
        updated_at=from_micros(read_number(item, "updated_at") or 0),
        expires_at=None if expires_at is None else from_micros(expires_at),
        annotations={name: read_document(item, name) for name in _ANNOTATIONS if name in item},
    )
