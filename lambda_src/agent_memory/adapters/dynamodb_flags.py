"""Tenants' feature flags in the control table: one item for each tenant that has any, one attribute for each flag."""

from collections.abc import Collection, Mapping
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, text
from agent_memory.domain.flags import Flag

_FLAG = "flag:"  # names are the operator's, and attributes of our own stand beside them


class DynamoFlagStore:
    """`FlagStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, tenant_id: str) -> Mapping[str, Flag]:
        """See `FlagStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(tenant_id)) or {}
        return {name.removeprefix(_FLAG): _read(item[name]) for name in item if name.startswith(_FLAG)}

    def change(self, tenant_id: str, own: Mapping[str, Flag], dropped: Collection[str]) -> None:
        """See `FlagStore.change`; one call."""
        names = {f"#{place}": _FLAG + name for place, name in enumerate([*own, *dropped])}
        places = list(names)
        clauses = [f"SET {', '.join(f'{place} = :{place[1:]}' for place in places[: len(own)])}"] if own else []
        clauses += [f"REMOVE {', '.join(places[len(own) :])}"] if dropped else []
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": _item_key(tenant_id),
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": names,
        }
        values = {f":{place}": _written(flag) for place, flag in enumerate(own.values())}
        dynamodb.write(self._client, [{"Update": update | ({"ExpressionAttributeValues": values} if values else {})}])


def _item_key(tenant_id: str) -> Item:
    return {"pk": text(key(tenant_id, "FLAGS")), "sk": text("FLAGS")}


def _written(flag: Flag) -> dict[str, Any]:
    return {"BOOL": flag} if isinstance(flag, bool) else text(flag)


def _read(value: dict[str, Any]) -> Flag:
    return bool(value["BOOL"]) if "BOOL" in value else str(value["S"])
