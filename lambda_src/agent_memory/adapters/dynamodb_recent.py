"""What an index may not show yet: episodes written shortly before a walk started, read from the table itself.

An index of DynamoDB follows its table with a delay, mostly of milliseconds. Episodes with a time of their own in
the last minute are found by that time; those written late, with an older time, are found by their markers. Later
pages of a walk need this only until the minute has passed, since new episodes are none of the walk's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_episode_item import (
    EPISODE,
    index_of,
    marker_prefix,
    read_episode,
    time_key_bounds,
)
from agent_memory.adapters.dynamodb_item import Item, key, text
from agent_memory.domain.buckets import Buckets
from agent_memory.domain.episode import Episode
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.timeline import Span
from agent_memory.domain.times import format_time

# The index has caught up with anything older than this, less LATE_AFTER.
INDEX_LAG = timedelta(seconds=60)


def recent_episodes(
    client: AwsJsonClient, table: str, span: Span, buckets: Buckets, budget: ScanBudget
) -> list[Episode]:
    """Read the span's recently written episodes, in the order of the walk."""
    if span.asked_at - span.walk_started_at > INDEX_LAG:
        return []
    places = buckets.for_session(span.session_id) if span.session_id else buckets.all()
    items: dict[str, Item] = {}
    for bucket in places:
        pk = text(key(span.tenant_id, span.agent_id, str(bucket)))
        reader = _Bucket(client, table, span, pk, budget)
        items |= {item["sk"]["S"]: item for item in reader.newest()}
        # One that was written again has several markers, and DynamoDB refuses to read a key twice.
        late = [{"pk": pk, "sk": text(sk)} for sk in sorted(set(reader.late()) - items.keys())]
        items |= {sk: item for (_, sk), item in dynamodb.get_all(client, table, late).items()}
    found = [read_episode(span.tenant_id, item) for item in items.values()]
    return sorted(found, key=lambda episode: episode.position, reverse=span.newest_first)


@dataclass(frozen=True, slots=True)
class _Bucket:
    client: AwsJsonClient
    table: str
    span: Span
    pk: dict[str, Any]
    budget: ScanBudget

    def newest(self) -> Iterator[Item]:
        """Episodes that carry a recent time."""
        low, high = time_key_bounds(self.span)
        low = max(low, self._since)
        if low <= high:
            _, attribute, value = index_of(self.span)
            match = {"FilterExpression": f"{attribute} = :key"}
            yield from self._query(EPISODE + low, EPISODE + high, {":key": text(value)}, match)

    def late(self) -> Iterator[str]:
        """Sort keys of episodes that were written recently with an older time."""
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
        for page in dynamodb.query(self.client, request, self.budget):
            yield from page
