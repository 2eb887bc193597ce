"""The index of the cold tier in the memory table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_archive_rows import (
    PENDING,
    epoch_key,
    object_bounds,
    object_item,
    object_key,
    partition,
    pending_item,
    pending_key,
    read_object,
    read_pending,
    same_epoch,
)
from agent_memory.adapters.dynamodb_item import Item, number, read_number, text
from agent_memory.domain.archive import REACHES, ArchivedObject, Pending
from agent_memory.domain.episode import Position
from agent_memory.errors import InProgress, StoreUnavailable


class DynamoArchiveIndex:
    """`ArchiveIndex` on DynamoDB. A swap names at most 99 objects, which is what a transaction holds."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def note(self, tenant_id: str, agent_id: str, pending: Pending) -> None:
        """See `ArchiveIndex.note`; one call."""
        item = pending_item(tenant_id, agent_id, pending)
        dynamodb.write(self._client, [{"Put": {"TableName": self._table, "Item": item}}])

    def pending(self, tenant_id: str, agent_id: str) -> Sequence[Pending]:
        """See `ArchiveIndex.pending`; one call for each MB of rows."""
        request = self._query(tenant_id, agent_id, "begins_with(sk, :low)", {":low": text(PENDING)})
        return [read_pending(item) for page in dynamodb.query(self._client, request, _always) for item in page]

    def forget(self, tenant_id: str, agent_id: str, pending: Sequence[Pending]) -> None:
        """See `ArchiveIndex.forget`; 25 rows a call."""
        dynamodb.delete_all(self._client, self._table, [pending_key(tenant_id, agent_id, each) for each in pending])

    def epoch(self, tenant_id: str, agent_id: str) -> int:
        """See `ArchiveIndex.epoch`; one call."""
        item = dynamodb.get(self._client, self._table, epoch_key(tenant_id, agent_id)) or {}
        return read_number(item, "count") or 0

    def begin_epoch(self, tenant_id: str, agent_id: str) -> None:
        """See `ArchiveIndex.begin_epoch`; one call, which may count twice."""
        update = {
            "TableName": self._table,
            "Key": epoch_key(tenant_id, agent_id),
            "UpdateExpression": "ADD #count :one",
            "ExpressionAttributeNames": {"#count": "count"},
            "ExpressionAttributeValues": {":one": number(1)},
        }
        with _unavailable():
            dynamodb.write(self._client, [{"Update": update}])

    def swap(self, added: Sequence[ArchivedObject], dropped: Sequence[ArchivedObject], epoch: int) -> bool:
        """See `ArchiveIndex.swap`; one transaction."""
        one = (*added, *dropped)[0]
        puts = [{"Put": {"TableName": self._table, "Item": object_item(row)}} for row in added]
        present = {"TableName": self._table, "ConditionExpression": "attribute_exists(pk)"}
        deletes = [{"Delete": {**present, "Key": object_key(row)}} for row in dropped]
        # The epoch last: of several conditions that failed, the last one is told.
        writes = [*puts, *deletes, same_epoch(self._table, one.tenant_id, one.agent_id, epoch)]
        with _unavailable():
            try:
                dynamodb.write(self._client, writes)
            except dynamodb.ConditionFailed as exc:
                return exc.index < len(writes) - 1 and self._is_done(added, dropped)
        return True

    def overlapping(
        self, tenant_id: str, agent_id: str, low: Position | None, high: Position | None, *, newest_first: bool
    ) -> Sequence[ArchivedObject]:
        """See `ArchiveIndex.overlapping`; one call for each reach, and more for each further MB of rows."""
        if low is not None and high is not None and low > high:
            return []
        rows = list(self._rows(tenant_id, agent_id, low, high))
        if newest_first:
            return sorted(rows, key=attrgetter("last", "first", "key"), reverse=True)
        return sorted(rows, key=attrgetter("first", "last", "key"))

    def _rows(
        self, tenant_id: str, agent_id: str, low: Position | None, high: Position | None
    ) -> Iterator[ArchivedObject]:
        for reach in REACHES:
            start, end = object_bounds(reach, low, high)
            values = {":low": text(start), ":high": text(end)}
            request = self._query(tenant_id, agent_id, "sk BETWEEN :low AND :high", values)
            for page in dynamodb.query(self._client, request, _always):
                rows = (read_object(tenant_id, item) for item in page)
                yield from (row for row in rows if high is None or row.first <= high)

    def _is_done(self, added: Sequence[ArchivedObject], dropped: Sequence[ArchivedObject]) -> bool:
        """Whether somebody has committed the same before, such as an attempt whose answer was lost."""
        keys: list[Item] = [object_key(row) for row in (*added, *dropped)]
        found = dynamodb.get_all(self._client, self._table, keys)
        return found.keys() == {(each["pk"]["S"], each["sk"]["S"]) for each in keys[: len(added)]}

    def _query(self, tenant_id: str, agent_id: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeValues": {":pk": partition(tenant_id, agent_id), **values},
            "ConsistentRead": True,
        }


def _always() -> bool:
    return True


@contextmanager
def _unavailable() -> Iterator[None]:
    """Whoever meets others at the epoch each time can only come again."""
    try:
        yield
    except InProgress:
        raise StoreUnavailable("others are archiving or purging the agent") from None
