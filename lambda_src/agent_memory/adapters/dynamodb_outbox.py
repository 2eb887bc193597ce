"""The outbox as a whole, which only operators look at: whoever does a job knows where its note stands."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import number, text
from agent_memory.adapters.dynamodb_job_item import OUTBOX
from agent_memory.domain.queue import JobMessage
from agent_memory.domain.times import to_micros


class DynamoOutbox:
    """`Outbox` on the memory table."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def notes(self, written_by: datetime) -> Iterator[JobMessage]:
        """See `Outbox.notes`; a call for each MB of the table, of which it costs the reading."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "begins_with(sk, :kind) AND created_at <= :by",
            "ProjectionExpression": "pk, job_id, created_at",
            "ExpressionAttributeValues": {":kind": text(OUTBOX), ":by": number(to_micros(written_by))},
        }
        while True:
            answer = self._client.call("Scan", request)
            for item in answer.get("Items", []):
                yield JobMessage(item["pk"]["S"].partition("#")[0], item["job_id"]["S"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
