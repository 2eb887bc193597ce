"""Small settings that stand beside the records: whose session it is, and how an agent is spread."""

import time
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, document, key, key_part, number, read_document, text
from agent_memory.domain.buckets import Buckets, Growth
from agent_memory.domain.times import from_micros, to_micros

_BUCKETS_KEPT_S = 30.0
_CACHE_ENTRIES = 1000


class DynamoSubjectStore:
    """One item for each bound session, in the memory table; found by user through the index `by_user`."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def bind(self, tenant_id: str, agent_id: str, session_id: str, user_id: str) -> str:
        """See `SubjectStore.bind`; one call."""
        update = {
            "TableName": self._table,
            "Key": _subject_key(tenant_id, agent_id, session_id),
            "UpdateExpression": "SET user_id = :user, user_key = :key, time_key = :kind, session_id = :session",
            "ConditionExpression": "attribute_not_exists(pk) OR user_id = :user",
            "ExpressionAttributeValues": {
                ":user": text(user_id),
                ":key": text(key(tenant_id, user_id)),
                ":kind": text("SUBJECT"),
                ":session": text(session_id),
            },
        }
        try:
            dynamodb.write(self._client, [{"Update": update}])
        except dynamodb.ConditionFailed as exc:
            return str(exc.item["user_id"]["S"])
        return user_id

    def bound(self, tenant_id: str, agent_id: str, session_id: str) -> str | None:
        """See `SubjectStore.bound`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _subject_key(tenant_id, agent_id, session_id))
        return None if item is None else str(item["user_id"]["S"])


class DynamoBucketStore:
    """One item for each spread agent, in the control table; a warm function keeps what it read for 30 s."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table
        self._kept: dict[tuple[str, str], tuple[float, Buckets]] = {}

    def get(self, tenant_id: str, agent_id: str) -> Buckets:
        """See `BucketStore.get`."""
        kept = self._kept.get((tenant_id, agent_id))
        if kept and kept[0] > time.monotonic():
            return kept[1]
        item = dynamodb.get(self._client, self._table, _buckets_key(tenant_id, agent_id))
        buckets = _buckets(item) if item else Buckets()
        if len(self._kept) >= _CACHE_ENTRIES:
            self._kept.clear()
        self._kept[tenant_id, agent_id] = (time.monotonic() + _BUCKETS_KEPT_S, buckets)
        return buckets

    def grow(self, tenant_id: str, agent_id: str, old: Buckets, new: Buckets) -> bool:
        """See `BucketStore.grow`."""
        growths = [[growth.count, to_micros(growth.effective_at)] for growth in new.growths]
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": {
                **_buckets_key(tenant_id, agent_id),
                "agent_id": text(agent_id),
                "count": number(len(new.all())),
                "growths": document(growths),
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if old.growths:
            put["ConditionExpression"] = "#count = :old"
            put["ExpressionAttributeNames"] = {"#count": "count"}
            put["ExpressionAttributeValues"] = {":old": number(len(old.all()))}
        try:
            dynamodb.write(self._client, [{"Put": put}])
        except dynamodb.ConditionFailed:
            return False
        return True


def _buckets_key(tenant_id: str, agent_id: str) -> Item:
    return {"pk": text(key(tenant_id, "AGENT", agent_id)), "sk": text("BUCKETS")}


def _buckets(item: Item) -> Buckets:
    return Buckets(tuple(Growth(count, from_micros(micros)) for count, micros in read_document(item, "growths")))


def _subject_key(tenant_id: str, agent_id: str, session_id: str) -> Item:
    return {"pk": text(key(tenant_id, agent_id, "0")), "sk": text(f"SUBJECT#{key_part(session_id)}")}
