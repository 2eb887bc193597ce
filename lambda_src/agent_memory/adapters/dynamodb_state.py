"""Working memory in the memory table: one item for each session, in the agent's first bucket.

State is never spread over buckets: a conditional write needs one key for ever, and DynamoDB itself splits a
partition between sort keys that do not grow with time.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import Item, item_bytes, key, number, owner_of, read_number, read_text, text
from agent_memory.adapters.dynamodb_state_item import (
    LIVE,
    SESSION,
    changed_attributes,
    dropped_by,
    item_key,
    read_state,
    state_item,
    update_of,
)
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.state import Session, State, StateChange, StateKey, VersionMismatch
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.domain.usage import Tally
from agent_memory.errors import NoRoomInRecord


class DynamoStateStore:
    """`StateStore` on DynamoDB; tells the tally what it stored and freed."""

    def __init__(self, client: AwsJsonClient, table: str, idempotency: DynamoIdempotencyStore, tally: Tally) -> None:
        self._client = client
        self._table = table
        self._idempotency = idempotency
        self._tally = tally
        # What was read last, as (record, version, bytes): a transaction does not tell what it replaced.
        self._seen: tuple[StateKey, int, int] | None = None

    def owner(self, key: StateKey) -> str:
        """See `StateStore.owner`."""
        return owner_of(item_key(key))

    def get(self, key: StateKey, now: datetime) -> State | None:
        """Read a live record; one strongly consistent call."""
        return self._read(key, dynamodb.get(self._client, self._table, item_key(key)), now)

    def put(self, state: State, answer: IdempotencyRecord | None) -> None:
        """See `StateStore.put`; one call."""
        write_id = os.urandom(9).hex()
        values = {":now": number(to_micros(state.updated_at))}
        if state.version == 1:
            condition = "attribute_not_exists(pk) OR expires_at <= :now"
        else:
            condition = f"version = :before AND {LIVE}"
            values[":before"] = number(state.version - 1)
        item = state_item(state, write_id)
        self._tally.need("dynamo_bytes", item_bytes(item))  # what it takes the place of is known afterwards
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        before = self._write({"Put": put}, state.key, write_id, answer, state.updated_at)
        replaced = item_bytes(before) if answer is None else self._seen_bytes(state.key, state.version - 1)
        self._tally.stored(state.key.agent_id, state.key.session_id, item_bytes(item) - replaced)

    def update(self, change: StateChange) -> State:
        """See `StateStore.update`; one call."""
        write_id = os.urandom(9).hex()
        new = changed_attributes(change, write_id)
        self._tally.need("dynamo_bytes", item_bytes(new))
        update = {"TableName": self._table, "Key": item_key(change.key), **update_of(new, change.version)}
        try:
            before = self._write({"Update": update}, change.key, write_id, None, change.updated_at)
        except AwsError as exc:
            # Only the service can tell how large the rest of the record is.
            if exc.code == "ValidationException" and "size" in str(exc.body.get("message")):
                raise NoRoomInRecord("the record would have over 400,000 bytes after compression") from exc
            raise
        after = {name: value for name, value in before.items() if name not in dropped_by(new)} | new
        self._tally.stored(change.key.agent_id, change.key.session_id, item_bytes(after) - item_bytes(before))
        return read_state(change.key, after)

    def delete(self, key: StateKey, now: datetime, answer: IdempotencyRecord | None) -> bool:
        """See `StateStore.delete`; one call, with an answer two."""
        delete = {
            "TableName": self._table,
            "Key": item_key(key),
            "ConditionExpression": f"attribute_exists(pk) AND {LIVE}",
            "ExpressionAttributeValues": {":now": number(to_micros(now))},
        }
        seen = self.get(key, now) if answer is not None else None
        try:
            before = self._write({"Delete": delete}, key, "", answer, now)
        except VersionMismatch:
            return False
        self._tally.dynamo_bytes -= self._seen_bytes(key, seen.version) if seen else item_bytes(before)
        return True

    def remove_expired(self, key: StateKey, now: datetime) -> bool:
        """See `StateStore.remove_expired`; one call."""
        delete = {
            "TableName": self._table,
            "Key": item_key(key),
            "ConditionExpression": "expires_at <= :now",
            "ExpressionAttributeValues": {":now": number(to_micros(now))},
            "ReturnValues": "ALL_OLD",
        }
        try:
            before = dynamodb.write(self._client, [{"Delete": delete}]).get("Attributes", {})
        except dynamodb.ConditionFailed:
            return False
        self._tally.dynamo_bytes -= item_bytes(before)
        return True

    def sessions(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Session | None]]:
        """See `StateStore.sessions`; a position is the session's part of the sort key."""
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
            "ProjectionExpression": "sk, session_id, updated_at, expires_at",
            "ConsistentRead": True,
            "ExpressionAttributeValues": {
                ":pk": text(key(tenant_id, agent_id, "0")),
                # The smallest character after a position is the next position that can exist.
                ":from": text(SESSION if after is None else f"{SESSION}{after}\x01"),
                ":to": text("SESSION$"),
            },
        }
        for page in dynamodb.query(self._client, request, budget.spend):
            for item in page:
                expires_at = read_number(item, "expires_at")
                live = expires_at is None or expires_at > to_micros(now)
                yield str(read_text(item, "sk")).removeprefix(SESSION), _session(item) if live else None

    def _write(
        self,
        write: dict[str, Any],
        state_key: StateKey,
        write_id: str,
        answer: IdempotencyRecord | None,
        now: datetime,
    ) -> Item:
        """What stood there before, which only a write by itself can tell."""
        if answer is None:
            writes = [{action: request | {"ReturnValues": "ALL_OLD"}} for action, request in write.items()]
        else:
            writes = [write, self._idempotency.write_of(answer, now)]
        try:
            before: Item = dynamodb.write(self._client, writes).get("Attributes", {})
        except dynamodb.ConditionFailed as exc:
            if exc.index == 1:
                raise AlreadyAnswered(stored_record(exc.item)) from exc
            # The answer to an earlier attempt was lost: what stands in the way is this very write.
            if exc.resent and read_text(exc.item, "write_id") == (write_id or None):
                return exc.item
            raise VersionMismatch(self._read(state_key, exc.item, now)) from exc
        return before

    def _read(self, state_key: StateKey, item: Item | None, now: datetime) -> State | None:
        if not item:
            return None
        state = read_state(state_key, item)
        self._seen = (state_key, state.version, item_bytes(item))
        return state if state.is_live(now) else None

    def _seen_bytes(self, state_key: StateKey, version: int) -> int:
        seen = self._seen
        return seen[2] if seen and seen[:2] == (state_key, version) else 0


def _session(item: Item) -> Session:
    return Session(str(read_text(item, "session_id")), from_micros(read_number(item, "updated_at") or 0))
