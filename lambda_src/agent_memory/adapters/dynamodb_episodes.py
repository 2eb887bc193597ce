"""Episodes in the memory table: written once under (time, id), read as one timeline.

Sort keys: `EPISODE#<time>#<ulid>`. Reads of a whole agent are consistent Queries of its buckets. Reads by
session, run or user go through an index, which DynamoDB keeps a moment behind the table; what was written in the
minute before a walk is therefore read from the table as well (`dynamodb_recent.py`).
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_episode_item import (
    EPISODE,
    episode_item,
    episode_key,
    index_of,
    late_markers,
    position_of,
    read_episode,
    time_key_bounds,
)
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import Item, check_size, item_bytes, key, owner_of, text
from agent_memory.adapters.dynamodb_recent import recent_streams
from agent_memory.domain.buckets import Buckets
from agent_memory.domain.episode import Episode, Examined, Position
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.ports import BucketStore
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.timeline import Span
from agent_memory.domain.usage import Tally
from agent_memory.errors import AgentMemoryError, PayloadTooLarge, StoreUnavailable


class DynamoEpisodeStore:
    """`EpisodeStore` on DynamoDB; tells the tally what it stored."""

    def __init__(
        self,
        client: AwsJsonClient,
        table: str,
        buckets: BucketStore,
        idempotency: DynamoIdempotencyStore,
        tally: Tally,
        hot_window: timedelta,
    ) -> None:
        self._client = client
        self._table = table
        self._buckets = buckets
        self._idempotency = idempotency
        self._tally = tally
        self._hot_window = hot_window

    def owner(self, episode: Episode) -> str:
        """See `EpisodeStore.owner`."""
        return owner_of(episode_key(episode.tenant_id, episode.agent_id, self._bucket(episode), episode.position))

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        """See `EpisodeStore.append`; one call for up to 25 items."""
        failures: list[AgentMemoryError | None] = [None] * len(episodes)
        groups: dict[int, list[Item]] = {}
        for place, episode in enumerate(episodes):
            try:
                groups[place] = self._items(episode, now)
            except PayloadTooLarge as exc:
                failures[place] = exc
        self._tally.need("dynamo_bytes", sum(item_bytes(group[0]) for group in groups.values()))
        # Markers first: an episode that stands without its markers could be missed by a walk.
        places = [place for place, items in groups.items() for _ in items[1:]] + list(groups)
        items = [item for group in groups.values() for item in group[1:]] + [group[0] for group in groups.values()]
        for place, durable in zip(places, dynamodb.put_all(self._client, self._table, items), strict=True):
            if not durable:
                failures[place] = StoreUnavailable("the episode was not written")
        for place, group in groups.items():
            if failures[place] is None:
                self._count(episodes[place], group[0])
        return failures

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        """See `EpisodeStore.append_answered`; one call."""
        items = self._items(episode, now)
        self._tally.need("dynamo_bytes", item_bytes(items[0]))
        writes = [{"Put": {"TableName": self._table, "Item": item}} for item in items]
        try:
            dynamodb.write(self._client, [*writes, self._idempotency.write_of(answer, now)])
        except dynamodb.ConditionFailed as exc:
            raise AlreadyAnswered(stored_record(exc.item)) from exc
        self._count(episode, items[0])

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        """See `EpisodeStore.timeline`."""
        low, high = time_key_bounds(span)
        if low > high:
            return iter(())  # DynamoDB refuses a range that ends before it starts
        buckets = self._buckets.get(span.tenant_id, span.agent_id)
        if span.session_id or span.run_id or span.user_id:
            return self._by_index(span, buckets, budget)
        streams = [self._by_bucket(span, bucket, budget) for bucket in buckets.all()]
        return heapq.merge(*streams, key=_place, reverse=span.newest_first)

    def _items(self, episode: Episode, now: datetime) -> list[Item]:
        bucket = self._bucket(episode)
        item = check_size(episode_item(episode, bucket, self._hot_window))
        return [item, *late_markers(episode, bucket, now)]

    def _bucket(self, episode: Episode) -> int:
        # By its own time and not by now: written again after a growth, it has to be found where it was.
        buckets = self._buckets.get(episode.tenant_id, episode.agent_id)
        return buckets.for_write(episode.session_id, episode.created_at)

    def _count(self, episode: Episode, item: Item) -> None:
        # Markers do not count: they are gone after ten minutes, and nothing here would hear of it.
        self._tally.stored(episode.agent_id, episode.session_id, item_bytes(item))

    def _by_bucket(self, span: Span, bucket: int, budget: ScanBudget) -> Iterator[Examined]:
        low, high = time_key_bounds(span)
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": text(key(span.tenant_id, span.agent_id, str(bucket))),
                ":low": text(EPISODE + low),
                ":high": text(EPISODE + high),
            },
            "ConsistentRead": True,
            "ScanIndexForward": not span.newest_first,
            "Limit": span.page_size,
        }
        for page in dynamodb.query(self._client, request, budget.spend):
            for item in page:
                episode = read_episode(span.tenant_id, item)
                yield episode.position, episode

    def _by_index(self, span: Span, buckets: Buckets, budget: ScanBudget) -> Iterator[Examined]:
        streams = [self._indexed(span, budget), *recent_streams(self._client, self._table, span, buckets, budget)]
        last: Position | None = None
        for position, episode in heapq.merge(*streams, key=_place, reverse=span.newest_first):
            if position != last:
                yield position, episode
            last = position

    def _indexed(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
        for page in dynamodb.query(self._client, self._index_request(span), budget.spend):
            agent = key(span.tenant_id, span.agent_id) + "#"
            wanted = [{"pk": entry["pk"], "sk": entry["sk"]} for entry in page if entry["pk"]["S"].startswith(agent)]
            items = dynamodb.get_all(self._client, self._table, wanted)
            for entry in page:
                item = items.get((entry["pk"]["S"], entry["sk"]["S"]))
                yield position_of(entry), read_episode(span.tenant_id, item) if item else None

    def _index_request(self, span: Span) -> dict[str, Any]:
        by, attribute, value = index_of(span)
        low, high = time_key_bounds(span)
        return {
            "TableName": self._table,
            "IndexName": f"by_{by}",
            "KeyConditionExpression": f"{attribute} = :key AND time_key BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":key": text(value), ":low": text(low), ":high": text(high)},
            "ScanIndexForward": not span.newest_first,
            "Limit": min(span.page_size, 100),
        }


def _place(examined: Examined) -> Position:
    return examined[0]
