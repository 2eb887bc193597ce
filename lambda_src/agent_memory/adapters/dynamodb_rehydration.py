"""Archived episodes written into the memory table once more."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_archive_rows import same_epoch
from agent_memory.adapters.dynamodb_episode_item import episode_item
from agent_memory.adapters.dynamodb_item import Item, item_bytes, number
from agent_memory.domain.episode import Episode
from agent_memory.domain.ports import BucketStore
from agent_memory.domain.times import to_micros
from agent_memory.errors import Conflict

_AT_A_TIME = 8


class DynamoRehydratedEpisodes:
    """`RehydratedEpisodes` on DynamoDB: a transaction for each, some at a time. The archiver leaves them alone, since
    each is written with its time of eviction."""

    def __init__(self, client: AwsJsonClient, table: str, buckets: BucketStore, hot_window: timedelta) -> None:
        self._client = client
        self._table = table
        self._buckets = buckets
        self._hot_window = hot_window

    def bring_back(
        self, tenant_id: str, agent_id: str, episodes: Sequence[tuple[Episode, datetime]], epoch: int
    ) -> tuple[int, int]:
        """See `RehydratedEpisodes.bring_back`. After an error some are written, some not."""
        plan = self._buckets.get(tenant_id, agent_id)
        check = same_epoch(self._table, tenant_id, agent_id, epoch)

        def write(episode: Episode, evict_at: datetime) -> int:
            bucket = plan.for_write(episode.session_id, episode.created_at)
            item = episode_item(episode, bucket, self._hot_window)
            item["evict_at"] = number(to_micros(evict_at) // 1_000_000)
            return item_bytes(item) if self._is_new(item, check) else 0

        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            writes = [pool.submit(copy_context().run, write, each, evict_at) for each, evict_at in episodes]
        sizes = [done.result() for done in writes]
        return sum(size > 0 for size in sizes), sum(sizes)

    def _is_new(self, item: Item, check: dict[str, Item]) -> bool:
        """Write it, or let the one that is there stay."""
        put = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            dynamodb.write(self._client, [{"Put": put}, check])
        except dynamodb.ConditionFailed as exc:
            if exc.index == 1:
                raise Conflict("the agent was purged meanwhile") from exc
            self._stay(item)
            return False
        return True

    def _stay(self, item: Item) -> None:
        update = {
            "TableName": self._table,
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": "SET evict_at = :at",
            # An object holds it, so the mark that the archiver may still owe it can be made here.
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(evict_at) OR evict_at < :at)",
            "ExpressionAttributeValues": {":at": item["evict_at"]},
        }
        try:
            dynamodb.write(self._client, [{"Update": update}])
        except dynamodb.ConditionFailed:
            return
