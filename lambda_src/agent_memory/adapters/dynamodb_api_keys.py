"""API keys in the control table: looked up by id, listed by tenant."""

from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import Item, key, number, read_number, read_text, text
from agent_memory.domain.api_key import DEAD_FOR, USE_NOTED_EVERY, ApiKey
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.times import from_micros, to_micros

_USE_IS_DUE = "(attribute_not_exists(last_used_at) OR last_used_at <= :due)"


class DynamoApiKeyStore:
    """One item for each key."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table
        self._idempotency = DynamoIdempotencyStore(client, table)

    def get(self, key_id: str) -> ApiKey | None:
        """Read a key's record; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(key_id))
        return _api_key(item) if item else None

    def add(self, key: ApiKey, answer: IdempotencyRecord | None = None) -> None:
        """See `ApiKeyStore.add`; one call."""
        put = {
            "TableName": self._table,
            "Item": _item(key),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            self._write({"Put": put}, answer, key.created_at)
        except (AlreadyAnswered, dynamodb.ConditionFailed):
            # Was the answer lost on the way? Then what stands there is what was just made: nobody else knows its hash.
            made = dynamodb.get_all(self._client, self._table, [_item_key(key.key_id)]).values()
            if [_api_key(item).key_hash for item in made] != [key.key_hash]:
                raise

    def revoke(
        self, key_id: str, at: datetime, tenant_id: str | None = None, answer: IdempotencyRecord | None = None
    ) -> bool:
        """See `ApiKeyStore.revoke`; one call, and a second time changes nothing."""
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": _item_key(key_id),
            "UpdateExpression": "SET revoked_at = if_not_exists(revoked_at, :at), evict_at = :evict",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":at": number(to_micros(at)), ":evict": _eviction(at)},
        }
        if tenant_id is not None:
            update["ConditionExpression"] = "tenant_id = :tenant"
            update["ExpressionAttributeValues"][":tenant"] = text(tenant_id)
        return self._update(update, answer, at)

    def expire(self, key_id: str, at: datetime) -> bool:
        """See `ApiKeyStore.expire`; one call, or two when it ends earlier."""
        update = {
            "TableName": self._table,
            "Key": _item_key(key_id),
            "UpdateExpression": "SET expires_at = :at, evict_at = :evict",
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(expires_at) OR expires_at > :at)",
            "ExpressionAttributeValues": {":at": number(to_micros(at)), ":evict": _eviction(at)},
        }
        return self._update(update, None, at) or self.get(key_id) is not None

    def note_use(self, key_id: str, at: datetime) -> None:
        """See `ApiKeyStore.note_use`; one call."""
        update = {
            "TableName": self._table,
            "Key": _item_key(key_id),
            "UpdateExpression": "SET last_used_at = :at",
            "ConditionExpression": f"attribute_exists(pk) AND {_USE_IS_DUE}",
            "ExpressionAttributeValues": {
                ":at": number(to_micros(at)),
                ":due": number(to_micros(at - USE_NOTED_EVERY)),
            },
        }
        with self._client.hurry():
            self._update(update, None, at)

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        """List through the index, then read each key itself: the index may lag, the record does not."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "by_tenant",
            "KeyConditionExpression": "tenant_key = :tenant",
            "ExpressionAttributeValues": {":tenant": text(key(tenant_id, "KEYS"))},
        }
        pages = dynamodb.query(self._client, request, lambda: True)
        keys = [{"pk": entry["pk"], "sk": entry["sk"]} for page in pages for entry in page]
        found = dynamodb.get_all(self._client, self._table, keys).values()
        # An index tells what an item says of itself; whose key it is, the key's own record says.
        records = (_api_key(item) for item in found if item["pk"]["S"].startswith("KEY#"))
        return sorted((each for each in records if each.tenant_id == tenant_id), key=lambda each: each.key_id)

    def _update(self, update: dict[str, Any], answer: IdempotencyRecord | None, at: datetime) -> bool:
        try:
            self._write({"Update": update}, answer, at)
        except dynamodb.ConditionFailed:
            return False
        return True

    def _write(self, write: dict[str, Any], answer: IdempotencyRecord | None, at: datetime) -> None:
        writes = [write] if answer is None else [write, self._idempotency.write_of(answer, at)]
        try:
            dynamodb.write(self._client, writes)
        except dynamodb.ConditionFailed as exc:
            if exc.index == 1:
                raise AlreadyAnswered(stored_record(exc.item)) from exc
            raise


def _item_key(key_id: str) -> Item:
    return {"pk": text(f"KEY#{key_id}"), "sk": text("KEY")}


def _item(key_record: ApiKey) -> Item:
    item = {
        **_item_key(key_record.key_id),
        "tenant_id": text(key_record.tenant_id),
        "tenant_key": text(key(key_record.tenant_id, "KEYS")),
        "key_hash": text(key_record.key_hash),
        "pepper_version": number(key_record.pepper_version),
        "scopes": text(" ".join(key_record.scopes)),
        "label": text(key_record.label),
        "created_at": number(to_micros(key_record.created_at)),
    }
    if key_record.expires_at is not None:
        item["expires_at"] = number(to_micros(key_record.expires_at))
        item["evict_at"] = _eviction(key_record.expires_at)
    return item


def _eviction(died_at: datetime) -> dict[str, Any]:
    """When DynamoDB may remove the record of a key that died."""
    return number(to_micros(died_at + DEAD_FOR) // 1_000_000)


def _api_key(item: Item) -> ApiKey:
    return ApiKey(
        key_id=item["pk"]["S"].removeprefix("KEY#"),
        tenant_id=str(read_text(item, "tenant_id")),
        key_hash=str(read_text(item, "key_hash")),
        pepper_version=read_number(item, "pepper_version") or 0,
        scopes=tuple(str(read_text(item, "scopes")).split()),
        label=str(read_text(item, "label")),
        created_at=from_micros(read_number(item, "created_at") or 0),
        expires_at=_time(item, "expires_at"),
        revoked_at=_time(item, "revoked_at"),
        last_used_at=_time(item, "last_used_at"),
    )


def _time(item: Item, name: str) -> datetime | None:
    micros = read_number(item, name)
    return None if micros is None else from_micros(micros)
