"""API keys in the control table: looked up by id, listed by tenant."""

from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, number, read_number, read_text, text
from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.times import from_micros, to_micros


class DynamoApiKeyStore:
    """One item for each key."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key_id: str) -> ApiKey | None:
        """Read a key's record; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(key_id))
        return _api_key(item) if item else None

    def add(self, key: ApiKey) -> None:
        """Store a new key."""
        put = {
            "TableName": self._table,
            "Item": _item(key),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        dynamodb.write(self._client, [{"Put": put}])

    def revoke(self, key_id: str, at: datetime) -> bool:
        """Mark as revoked; a second time changes nothing."""
        update = {
            "TableName": self._table,
            "Key": _item_key(key_id),
            "UpdateExpression": "SET revoked_at = if_not_exists(revoked_at, :at)",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":at": number(to_micros(at))},
        }
        try:
            dynamodb.write(self._client, [{"Update": update}])
        except dynamodb.ConditionFailed:
            return False
        return True

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
        return sorted((_api_key(item) for item in found), key=lambda each: each.key_id)


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
    return item


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
    )


def _time(item: Item, name: str) -> datetime | None:
    micros = read_number(item, name)
    return None if micros is None else from_micros(micros)
