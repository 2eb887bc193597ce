"""Removal of what an agent wrote in runs: its steps and tool calls, found by its pointers. Other agents' stay."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_counted import counted_bytes
from agent_memory.adapters.dynamodb_item import Item, read_text, text
from agent_memory.adapters.dynamodb_run_item import TOP, pointers_key, run_key
from agent_memory.domain.purge import Kind, Removed

_AT_ONCE = 25  # as many as one BatchWriteItem deletes


class DynamoAgentRuns:
    """`AgentStore` of steps and tool calls. A run that loses its highest step goes on by the one before it."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; once a pointer is gone its run is searched again, for what came in between."""
        request = self._all(pointers_key(tenant_id, agent_id)) | {"Limit": _AT_ONCE}
        for pointers in dynamodb.query(self._client, request, lambda: True):
            runs = sorted({str(read_text(pointer, "run_id")) for pointer in pointers})
            for run_id in runs:
                yield from self._of_run(tenant_id, run_id, agent_id)
            if pointers:
                dynamodb.delete_all(self._client, self._table, pointers)
                yield Removed({"other": len(pointers)})
            for run_id in runs:
                yield from self._of_run(tenant_id, run_id, agent_id)

    def _of_run(self, tenant_id: str, run_id: str, agent_id: str) -> Iterator[Removed]:
        request = self._all(run_key(tenant_id, run_id))
        request["FilterExpression"] = "agent_id = :agent"
        request["ExpressionAttributeValues"][":agent"] = text(agent_id)
        for group in dynamodb.delete_found(self._client, request):
            yield _removed(group)

    def _all(self, partition: dict[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": partition},
            "ConsistentRead": True,
        }


def _removed(items: list[Item]) -> Removed:
    kinds: list[Kind] = ["other" if item["sk"]["S"] == TOP else "runs" for item in items]
    return Removed(Counter(kinds), dynamo_bytes=sum(counted_bytes(item) for item in items))
