"""Usage counters in the control table: one item for each tenant, one attribute for each counter."""

from collections.abc import Mapping

from agent_memory.acting import acting_for
from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, number, text


class DynamoUsageStore:
    """`UsageStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """See `UsageStore.add`; one call, which counts twice when its answer is lost and it is sent again."""
        names = {f"#{place}": name for place, name in enumerate(counts)}
        update = {
            "TableName": self._table,
            "Key": _item_key(tenant_id),
            "UpdateExpression": "ADD " + ", ".join(f"{place} :{place[1:]}" for place in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {f":{place[1:]}": number(counts[name]) for place, name in names.items()},
        }
        # Counts may have waited for another tenant's request.
        with acting_for(tenant_id), self._client.hurry():
            dynamodb.write(self._client, [{"Update": update}])

    def get(self, tenant_id: str) -> Mapping[str, int]:
        """See `UsageStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(tenant_id)) or {}
        return {name: int(value["N"]) for name, value in item.items() if "N" in value}


def _item_key(tenant_id: str) -> Item:
    return {"pk": text(key(tenant_id, "USAGE")), "sk": text("USAGE")}
