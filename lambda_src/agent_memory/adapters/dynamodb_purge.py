"""Removal of an agent's partitions of the memory table, whatever stands in them but the count of purges."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_archive import DynamoArchiveIndex
from agent_memory.adapters.dynamodb_archive_rows import EPOCH, partition
from agent_memory.adapters.dynamodb_counted import counted_bytes
from agent_memory.adapters.dynamodb_item import Item, key, text
from agent_memory.domain.ports import BucketStore
from agent_memory.domain.purge import Kind, Removed

_KINDS: dict[str, Kind] = {"SESSION": "state", "EPISODE": "episodic"}


class DynamoAgentArchive:
    """`AgentStore` of what leads to an agent's archived objects; they themselves are `S3Archive`'s."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table
        self._index = DynamoArchiveIndex(client, table)

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; a call, and one for 25 rows.

        Each time an epoch begins first: whoever read records that the time before removed commits no object of them
        any more, and whoever did before that has left a row, which goes now. The epoch itself stays.
        """
        self._index.begin_epoch(tenant_id, agent_id)
        request = _all_of(self._table, partition(tenant_id, agent_id))
        request["KeyConditionExpression"] += " AND sk > :epoch"
        request["ExpressionAttributeValues"][":epoch"] = text(EPOCH)
        for group in dynamodb.delete_found(self._client, request):
            yield _removed(group)


class DynamoAgentRecords:
    """`AgentStore` of states, episodes and what stands beside them."""

    def __init__(self, client: AwsJsonClient, table: str, buckets: BucketStore) -> None:
        self._client = client
        self._table = table
        self._buckets = buckets

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; 25 items a call, read consistently, bucket after bucket."""
        for bucket in self._buckets.get(tenant_id, agent_id).all():
            request = _all_of(self._table, text(key(tenant_id, agent_id, str(bucket))))
            for group in dynamodb.delete_found(self._client, request):
                yield _removed(group)


def _all_of(table: str, pk: dict[str, Any]) -> dict[str, Any]:
    return {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": pk},
        "ConsistentRead": True,
    }


def _removed(items: list[Item]) -> Removed:
    kinds = [_KINDS.get(item["sk"]["S"].partition("#")[0], "other") for item in items]
    return Removed(Counter(kinds), dynamo_bytes=sum(counted_bytes(item) for item in items))
