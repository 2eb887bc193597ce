"""Rows of archived objects in the order of a walk, read no further than it comes.

An agent with few objects is asked for in one Query. With more of them each reach is a Query of its own: rows stand by
the end of their stretch, so those that a walk from the oldest meets next lie up to one reach further on.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_archive_rows import OBJECT, object_bounds, partition, read_object
from agent_memory.adapters.dynamodb_item import text
from agent_memory.domain.archive import REACHES, ArchivedObject
from agent_memory.domain.episode import Position
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import ScanBudget

_FEW = 20
_PAGE = 50


class DynamoObjectRows:
    """`ObjectRows` on DynamoDB; the first page of each Query is free."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        """See `ObjectRows.along`."""
        if stretch.low is not None and stretch.high is not None and stretch.low > stretch.high:
            return iter(())
        asked = _Asked(self._client, self._table, stretch, budget)
        few = asked.few()
        return iter(few) if few is not None else asked.many()


@dataclass(slots=True)
class _Asked:
    client: AwsJsonClient
    table: str
    stretch: Stretch
    budget: ScanBudget
    has_found: bool = False

    def few(self) -> list[ArchivedObject] | None:
        """All there are, in order; None when there are many."""
        answer = self.client.call("Query", self._request(OBJECT, OBJECT + "~", _FEW))
        if "LastEvaluatedKey" in answer:
            return None
        rows = (read_object(self.stretch.tenant_id, item) for item in answer.get("Items", []))
        return sorted(filter(self.stretch.touches, rows), key=self._place, reverse=self.stretch.newest_first)

    def many(self) -> Iterator[ArchivedObject]:
        """Reach by reach, merged."""
        streams: list[Iterator[ArchivedObject]] = []
        for reach, longest in REACHES.items():
            low, high = object_bounds(reach, self.stretch.low, self.stretch.high)
            rows = self._rows(self._request(low, high, _PAGE))
            streams.append(rows if self.stretch.newest_first else _by_first(rows, longest))
        merged = heapq.merge(*streams, key=self._place, reverse=self.stretch.newest_first)
        return filter(self.stretch.touches, merged)

    def _rows(self, request: dict[str, object]) -> Iterator[ArchivedObject]:
        for page in dynamodb.query(self.client, request, self._may_go_on):
            for item in page:
                row = read_object(self.stretch.tenant_id, item)
                self.has_found = self.has_found or self.stretch.touches(row)
                yield row

    def _may_go_on(self) -> bool:
        # Bounded by time alone before the first hit: a budget of pages could end there each time that it is tried.
        return self.budget.spend() if self.has_found else self.budget.in_time()

    def _place(self, row: ArchivedObject) -> tuple[Position, str]:
        return self.stretch.near_end(row), row.key

    def _request(self, low: str, high: str, limit: int) -> dict[str, object]:
        return {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": partition(self.stretch.tenant_id, self.stretch.agent_id),
                ":low": text(low),
                ":high": text(high),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not self.stretch.newest_first,
            "Limit": limit,
        }


def _by_first(rows: Iterable[ArchivedObject], longest: timedelta) -> Iterator[ArchivedObject]:
    """Rows that come by their end, by their beginning: no later row begins before its end less the longest stretch."""
    waiting: list[tuple[Position, str, ArchivedObject]] = []
    for row in rows:
        heapq.heappush(waiting, (row.first, row.key, row))
        while row.last.time - waiting[0][0].time > longest:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]
