"""Every tenant that the control table tells of: by its API keys, its counters, its agents, whatever there is."""

from collections.abc import Sequence
from typing import Any

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.domain.identifiers import TENANT_ID


class DynamoTenants:
    """`Tenants` by a scan, for operators alone."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def all(self) -> Sequence[str]:
        """See `Tenants.all`; as many calls as the table has megabytes."""
        request: dict[str, Any] = {"TableName": self._table, "ProjectionExpression": "pk, tenant_id"}
        found: set[str] = set()
        while True:
            answer = self._client.call("Scan", request)
            for item in answer.get("Items", []):
                # What belongs to a tenant begins with its name; keys lie by their own ids, in capitals.
                found |= {item["pk"]["S"].partition("#")[0], item.get("tenant_id", {}).get("S", "")}
            if "LastEvaluatedKey" not in answer:
                return sorted(each for each in found if TENANT_ID.fullmatch(each))
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
