"""What the sweep needs of DynamoDB: a look at every episode that is not archived, at owners, and its own place."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_episode_item import EPISODE, position_of
from agent_memory.adapters.dynamodb_item import (
    Item,
    document,
    number,
    owned_by,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.archive import Key
from agent_memory.domain.sweep import STEPS, Sweep, Unarchived
from agent_memory.domain.times import from_micros, to_micros

# No tenant is called so, and what a tenant has begins with its name.
_PLACE: Item = {"pk": text("SWEEP"), "sk": text("SWEEP")}


class DynamoHotScan:
    """`HotScan` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def unarchived(self, written_by: datetime, after: str | None) -> tuple[Sequence[Unarchived], str | None]:
        """See `HotScan.unarchived`; one call, which reads 1 MB and returns keys."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "begins_with(sk, :kind) AND attribute_not_exists(evict_at) AND created_at <= :by",
            "ProjectionExpression": "pk, sk, agent_id, created_at",
            "ExpressionAttributeValues": {":kind": text(EPISODE), ":by": number(to_micros(written_by))},
        }
        if after is not None:
            request["ExclusiveStartKey"] = {name: text(part) for name, part in json.loads(after).items()}
        answer = self._client.call("Scan", request)
        following = answer.get("LastEvaluatedKey")
        return (
            [_unarchived(item) for item in answer.get("Items", [])],
            following and json.dumps({name: part["S"] for name, part in following.items()}),
        )

    def bodies_of(self, owners: Sequence[str]) -> Sequence[str | None]:
        """See `HotScan.bodies_of`; one call for 100 records."""
        keys = {owner: owned_by(owner) for owner in owners if _is_name(owner)}
        # A record has had several large values, and DynamoDB refuses to read a key twice.
        found = dynamodb.get_all(self._client, self._table, list({str(key): key for key in keys.values()}.values()))
        items = {owner: found.get((key["pk"]["S"], key["sk"]["S"]), {}) for owner, key in keys.items()}
        return [read_text(items.get(owner, {}), "body_key") for owner in owners]


class DynamoSweepStore:
    """`SweepStore`: one item of the control table."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def last(self) -> tuple[Sweep | None, int]:
        """See `SweepStore.last`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _PLACE)
        if item is None:
            return None, 0
        return _sweep(item), read_number(item, "revision") or 0

    def keep(self, sweep: Sweep, revision: int) -> bool:
        """See `SweepStore.keep`; one call."""
        item = _PLACE | {
            "revision": number(revision + 1),
            "started_at": number(to_micros(sweep.started_at)),
            "counts": document(sweep.counts),
        }
        item |= {name: text(said) for name in ("step", "after") if (said := getattr(sweep, name)) is not None}
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if revision:
            put["ConditionExpression"] = "revision = :seen"
            put["ExpressionAttributeValues"] = {":seen": number(revision)}
        try:
            dynamodb.write(self._client, [{"Put": put}])
        except dynamodb.ConditionFailed as exc:
            # The answer to an earlier attempt was lost: what stands there is this very place.
            return exc.resent and exc.item == item
        return True


def _unarchived(item: Item) -> Unarchived:
    partition = item["pk"]["S"]
    return Unarchived(
        tenant_id=partition.partition("#")[0],
        agent_id=str(read_text(item, "agent_id")),
        key=Key(int(partition.rpartition("#")[2]), position_of(item)),
        created_at=from_micros(read_number(item, "created_at") or 0),
    )


def _sweep(item: Item) -> Sweep:
    step = read_text(item, "step")
    return Sweep(
        started_at=from_micros(read_number(item, "started_at") or 0),
        step=next((each for each in STEPS if each == step), None),
        after=read_text(item, "after"),
        counts={name: int(count) for name, count in read_document(item, "counts").items()},
    )


def _is_name(owner: str) -> bool:
    try:
        item_key = owned_by(owner)
        return bool(item_key["pk"]["S"] and item_key["sk"]["S"])
    except ValueError:
        return False
