"""What an index may not show yet: episodes written shortly before a walk started, read from the table itself.

An index of DynamoDB follows its table with a delay, mostly of milliseconds. Episodes with a time of their own in
the last minute are found by that time; those with an older time or one to come are found by their markers. Later
pages of a walk need this only until the minute has passed, since new episodes are none of the walk's business.
Both are read as the walk goes on and no further: a long import must not be read whole for each of its pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_episode_item import (
    EPISODE,
    MARKED_BEYOND,
    index_of,
    marker_prefix,
    position_of,
    read_episode,
    time_key_bounds,
)
from agent_memory.adapters.dynamodb_item import Item, key, text
from agent_memory.domain.buckets import Buckets
from agent_memory.domain.episode import Examined
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.timeline import Span
from agent_memory.domain.times import format_time

# The index has caught up with anything older than this, less MARKED_BEYOND.
INDEX_LAG = timedelta(seconds=60)


def recent_streams(
    client: AwsJsonClient, table: str, span: Span, buckets: Buckets, budget: ScanBudget
) -> list[Iterator[Examined]]:
    """The span's recently written episodes, as streams that are each in the order of the walk."""
    if span.asked_at - span.walk_started_at > INDEX_LAG:
        return []
    places = buckets.for_session(span.session_id) if span.session_id else buckets.all()
    readers = [
        _Bucket(client, table, span, text(key(span.tenant_id, span.agent_id, str(place))), budget) for place in places
    ]
    return [stream for reader in readers for stream in (reader.newest(), reader.late())]


@dataclass(frozen=True, slots=True)
class _Bucket:
    client: AwsJsonClient
    table: str
    span: Span
    pk: dict[str, Any]
    budget: ScanBudget

    def newest(self) -> Iterator[Examined]:
        """Episodes that carry a recent time."""
        low, high = time_key_bounds(self.span)
        low, high = max(low, self._since), min(high, format_time(self.span.asked_at + MARKED_BEYOND) + "#~")
        if low <= high:
            _, attribute, value = index_of(self.span)
            match = {"FilterExpression": f"{attribute} = :key", "ScanIndexForward": not self.span.newest_first}
            for item in self._query(EPISODE + low, EPISODE + high, {":key": text(value)}, match):
                yield position_of(item), read_episode(self.span.tenant_id, item)

    def late(self) -> Iterator[Examined]:
        """Episodes that were written recently with a time of another day."""
        # One that was written again has several markers, and DynamoDB refuses to read a key twice.
        targets = sorted(set(self._marked()), reverse=self.span.newest_first)
        size = min(self.span.page_size, 100)
        for start in range(0, len(targets), size):
            if start and not self.budget.spend():
                raise ScanBudgetSpent
            wanted = targets[start : start + size]
            items = dynamodb.get_all(self.client, self.table, [{"pk": self.pk, "sk": text(sk)} for sk in wanted])
            for sk in wanted:
                if item := items.get((self.pk["S"], sk)):
                    yield position_of(item), read_episode(self.span.tenant_id, item)

    def _marked(self) -> Iterator[str]:
        low, high = time_key_bounds(self.span)
        by, _, _ = index_of(self.span)
        prefix = marker_prefix(by, str(getattr(self.span, f"{by}_id")))
        for marker in self._query(prefix + self._since, prefix + "~", {}, {}):
            target = str(marker["target"]["S"])
            if EPISODE + low <= target <= EPISODE + high:
                yield target

    @property
    def _since(self) -> str:
        return format_time(self.span.walk_started_at - INDEX_LAG)

    def _query(self, low: str, high: str, values: dict[str, Any], extra: dict[str, Any]) -> Iterator[Item]:
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":pk": self.pk, ":low": text(low), ":high": text(high), **values},
            "ConsistentRead": True,
            **extra,
        }
        # Bounded by time alone: these pages hold other sessions too, and a page budget could end before the first hit.
        for page in dynamodb.query(self.client, request, self.budget.in_time):
            yield from page
