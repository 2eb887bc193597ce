"""DynamoDB's time to live: removes what has passed, and knows afterwards which removals were its own."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.aws_json import AwsJsonClient
from tests.event_source.stream import Record

_PASSED = "evict_at <= :now"


class Expiry:
    """Of one table by `evict_at`; AWS does it within days, so when to is up to the caller."""

    def __init__(self, client: AwsJsonClient, table: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._removed: list[dict[str, Any]] = []

    def sweep(self, choose: Callable[[], bool] = lambda: True) -> int:
        """Remove items whose time has passed, those that are chosen; how many."""
        values = {":now": {"N": str(int(self._clock().timestamp()))}}
        before = len(self._removed)
        for item in list(self._passed(values)):
            if choose():
                self._remove({name: item[name] for name in ("pk", "sk")}, values)
        return len(self._removed) - before

    def is_its_work(self, record: Record) -> bool:
        """Whether a removal was by this; each is told of once."""
        with suppress(ValueError):
            self._removed.remove(record["dynamodb"]["OldImage"])
            return True
        return False

    def _passed(self, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        request = {
            "TableName": self._table,
            "FilterExpression": _PASSED,
            "ProjectionExpression": "pk, sk",
            "ExpressionAttributeValues": values,
        }
        return scan(self._client, request)

    def _remove(self, key: dict[str, Any], values: dict[str, Any]) -> None:
        request = {
            "TableName": self._table,
            "Key": key,
            "ConditionExpression": _PASSED,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_OLD",
        }
        with suppress(AwsError):  # it has gone, or its time was changed
            self._removed.append(self._client.call("DeleteItem", request)["Attributes"])


def scan(client: AwsJsonClient, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item that a Scan finds."""
    while True:
        page = client.call("Scan", request)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}
