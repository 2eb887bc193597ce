"""The hot tier as the archive sees it: records that are read by their keys, and marked for eviction once archived."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_episode_item import episode_key, read_episode
from agent_memory.adapters.dynamodb_item import Item, number
from agent_memory.domain.archive import Key
from agent_memory.domain.episode import Episode
from agent_memory.domain.times import to_micros

# The client gives each thread a connection of its own; more of them wait for the processor.
_AT_A_TIME = 8


class DynamoHotEpisodes:
    """`HotEpisodes` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, tenant_id: str, agent_id: str, keys: Sequence[Key]) -> Sequence[tuple[Key, Episode]]:
        """See `HotEpisodes.read`; 100 records a call, or as many as have 16 MB."""
        places = {each: _item_key(tenant_id, agent_id, each) for each in keys}
        found = dynamodb.get_all(self._client, self._table, list(places.values()))
        items = ((each, found.get((place["pk"]["S"], place["sk"]["S"]))) for each, place in places.items())
        return [(each, read_episode(tenant_id, item)) for each, item in items if item and "evict_at" not in item]

    def evict(self, tenant_id: str, agent_id: str, keys: Sequence[tuple[Key, datetime]]) -> None:
        """See `HotEpisodes.evict`; one call for each, some at a time. After an error some are marked, some not."""

        def mark(each: Key, evict_at: datetime) -> None:
            self._mark(_item_key(tenant_id, agent_id, each), evict_at)

        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            marks = [pool.submit(copy_context().run, mark, each, evict_at) for each, evict_at in keys]
        for done in marks:
            done.result()

    def _mark(self, item_key: Item, evict_at: datetime) -> None:
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": item_key,
            "UpdateExpression": "SET evict_at = :at",
            # One that is gone is not brought back, and one that is marked keeps its time.
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(evict_at)",
            "ExpressionAttributeValues": {":at": number(to_micros(evict_at) // 1_000_000)},
        }
        try:
            dynamodb.write(self._client, [{"Update": update}])
        except dynamodb.ConditionFailed:
            return


def _item_key(tenant_id: str, agent_id: str, each: Key) -> Item:
    return episode_key(tenant_id, agent_id, each.bucket, each.position)
