"""Tenants' own limits in the control table: one item for each tenant that has any, one attribute for each limit."""

from collections.abc import Collection, Mapping
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, number, text
from agent_memory.domain.limits import NAMES


class DynamoLimitStore:
    """`LimitStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, tenant_id: str) -> Mapping[str, int | None]:
        """See `LimitStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(tenant_id)) or {}
        return {name: int(item[name]["N"]) if "N" in item[name] else None for name in NAMES if name in item}

    def change(self, tenant_id: str, own: Mapping[str, int | None], dropped: Collection[str]) -> None:
        """See `LimitStore.change`; one call."""
        clauses = [f"SET {', '.join(f'{name} = :{name}' for name in own)}"] if own else []
        clauses += [f"REMOVE {', '.join(dropped)}"] if dropped else []
        values = {f":{name}": {"NULL": True} if limit is None else number(limit) for name, limit in own.items()}
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": _item_key(tenant_id),
            "UpdateExpression": " ".join(clauses),
        }
        dynamodb.write(self._client, [{"Update": update | ({"ExpressionAttributeValues": values} if values else {})}])


def _item_key(tenant_id: str) -> Item:
    return {"pk": text(key(tenant_id, "LIMITS")), "sk": text("LIMITS")}
