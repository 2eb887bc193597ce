"""Removal of an agent's partitions of the memory table, whatever stands in them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, item_bytes, key, text
from agent_memory.domain.ports import BucketStore
from agent_memory.domain.purge import Kind, Removed

# What counts as usage; markers and whose session it is do not.
_KINDS: dict[str, Kind] = {"SESSION": "state", "EPISODE": "episodic"}


class DynamoAgentRecords:
    """`AgentStore` of states, episodes and what stands beside them."""

    def __init__(self, client: AwsJsonClient, table: str, buckets: BucketStore) -> None:
        self._client = client
        self._table = table
        self._buckets = buckets

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; 25 items a call, read consistently, bucket after bucket."""
        for bucket in self._buckets.get(tenant_id, agent_id).all():
            request: dict[str, Any] = {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": text(key(tenant_id, agent_id, str(bucket)))},
                "ConsistentRead": True,
            }
            for group in dynamodb.delete_found(self._client, request):
                yield _removed(group)


def _removed(items: list[Item]) -> Removed:
    kinds = [_KINDS.get(item["sk"]["S"].partition("#")[0], "other") for item in items]
    counted = sum(item_bytes(item) for item, kind in zip(items, kinds, strict=True) if kind != "other")
    return Removed(Counter(kinds), dynamo_bytes=counted)
