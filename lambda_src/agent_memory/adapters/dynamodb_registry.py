"""Marks of agents and sessions in the control table: ids and nothing else."""

import os
from collections.abc import Iterator
from typing import Any

from agent_memory.acting import acting_for
from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, key_part, read_text, text
from agent_memory.domain.purge import Removed

_SESSION = "SESSION#"


class DynamoAgentRegistry:
    """`AgentRegistry` on DynamoDB: one item for each agent, and one for each of its sessions."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def mark(self, tenant_id: str, agent_id: str, session_id: str | None) -> bool:
        """See `AgentRegistry.mark`; one call."""
        mark_id = os.urandom(9).hex()
        if session_id is None:
            item = {**_agent_key(tenant_id, agent_id), "agent_id": text(agent_id), "mark_id": text(mark_id)}
        else:
            item = {**_session_key(tenant_id, agent_id, session_id), "mark_id": text(mark_id)}
        put = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            # Marks may have waited for another tenant's request.
            with acting_for(tenant_id), self._client.hurry():
                dynamodb.write(self._client, [{"Put": put}])
        except dynamodb.ConditionFailed as exc:
            # The answer to an earlier attempt was lost: the mark that stands there may be this very one.
            return exc.resent and read_text(exc.item, "mark_id") == mark_id
        return True

    def agents(self, tenant_id: str, limit: int) -> list[str]:
        """See `AgentRegistry.agents`; one consistent call, in the order of the escaped ids."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": text(key(tenant_id, "AGENTS"))},
            "ConsistentRead": True,
            "Limit": limit,
        }
        page = next(dynamodb.query(self._client, request, lambda: False))
        return [str(read_text(item, "agent_id")) for item in page]

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; the agent's own mark goes last, so that a purge that died can be found.

        How the agent is spread stays: functions that still know of its buckets would write where nobody reads.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
            "ExpressionAttributeValues": {
                ":pk": text(key(tenant_id, "AGENT", agent_id)),
                ":kind": text(_SESSION),
            },
            "ConsistentRead": True,
        }
        for group in dynamodb.delete_found(self._client, request):
            yield Removed({"sessions": len(group)})
        own = {"TableName": self._table, "Key": _agent_key(tenant_id, agent_id), "ReturnValues": "ALL_OLD"}
        if dynamodb.write(self._client, [{"Delete": own}]).get("Attributes"):
            yield Removed({"agents": 1})


def _agent_key(tenant_id: str, agent_id: str) -> Item:
    return {"pk": text(key(tenant_id, "AGENTS")), "sk": text(key_part(agent_id))}


def _session_key(tenant_id: str, agent_id: str, session_id: str) -> Item:
    return {"pk": text(key(tenant_id, "AGENT", agent_id)), "sk": text(_SESSION + key_part(session_id))}
