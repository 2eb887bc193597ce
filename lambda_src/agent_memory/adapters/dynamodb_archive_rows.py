"""What the archive knows of an agent, as items of one partition of the memory table.

`PENDING#<hash of the ids>` and `OBJECT#<reach>#<time of the last>#<id of the last>#<name>`, and `EPOCH`, which sorts
before both. They stand beside the records, so that a table restored to a moment holds records and rows of one moment.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agent_memory.adapters.dynamodb_item import (
    Item,
    document,
    key,
    number,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.archive import REACHES, ArchivedObject, Key, Pending, Reach
from agent_memory.domain.episode import Position
from agent_memory.domain.times import format_time, from_micros, to_micros

PENDING = "PENDING#"
OBJECT = "OBJECT#"
EPOCH = "EPOCH"

# A note of episodes that a purge removed before they were noted waits for a flush that never comes. None that is needed
# waits so long: the sweep finds episodes without notes.
_NOTE_KEPT = timedelta(days=40)


def partition(tenant_id: str, agent_id: str) -> dict[str, Any]:
    """Where an agent's rows stand; the records' partitions end in a number."""
    return text(key(tenant_id, agent_id, "ARCHIVE"))


def epoch_key(tenant_id: str, agent_id: str) -> Item:
    """Where purges are counted."""
    return {"pk": partition(tenant_id, agent_id), "sk": text(EPOCH)}


def same_epoch(table: str, tenant_id: str, agent_id: str, epoch: int) -> dict[str, dict[str, Any]]:
    """Part of a transaction: the agent has not been purged since."""
    unless_new = "attribute_not_exists(#count) OR " if epoch == 0 else ""
    check = {
        "TableName": table,
        "Key": epoch_key(tenant_id, agent_id),
        "ConditionExpression": f"{unless_new}#count = :epoch",
        "ExpressionAttributeNames": {"#count": "count"},
        "ExpressionAttributeValues": {":epoch": number(epoch)},
    }
    return {"ConditionCheck": check}


def pending_key(tenant_id: str, agent_id: str, pending: Pending) -> Item:
    """Where a note stands."""
    return {"pk": partition(tenant_id, agent_id), "sk": text(PENDING + pending.name)}


def pending_item(tenant_id: str, agent_id: str, pending: Pending) -> Item:
    """Make the item."""
    places = [[each.bucket, to_micros(each.position.time), each.position.id] for each in pending.keys]
    return {
        **pending_key(tenant_id, agent_id, pending),
        "agent_id": text(agent_id),
        "places": document(places),
        "size": number(pending.size),
        "oldest": number(to_micros(pending.oldest)),
        "evict_at": number(to_micros(pending.oldest + _NOTE_KEPT) // 1_000_000),
    }


def read_pending(item: Mapping[str, Any]) -> Pending:
    """Undo `pending_item`."""
    places = read_document(item, "places")
    return Pending(
        tuple(Key(int(bucket), Position(from_micros(int(time)), ulid)) for bucket, time, ulid in places),
        read_number(item, "size") or 0,
        from_micros(read_number(item, "oldest") or 0),
    )


def object_key(row: ArchivedObject) -> Item:
    """Where the row of an object stands."""
    name = row.key.rpartition("/")[2].partition(".")[0]
    last = f"{format_time(row.last.time)}#{row.last.id}"
    return {"pk": partition(row.tenant_id, row.agent_id), "sk": text(f"{OBJECT}{row.reach}#{last}#{name}")}


def object_item(row: ArchivedObject) -> Item:
    """Make the item."""
    item: Item = {
        **object_key(row),
        "agent_id": text(row.agent_id),
        "object_key": text(row.key),
        "sha256": {"B": base64.b64encode(bytes.fromhex(row.sha256)).decode()},
        "size": number(row.size),
        "count": number(row.count),
        "first_time": number(to_micros(row.first.time)),
        "first_id": text(row.first.id),
        "last_time": number(to_micros(row.last.time)),
        "last_id": text(row.last.id),
        "types": document(sorted(row.types)),
        "archived_at": number(to_micros(row.archived_at)),
    }
    prints = {"sessions": row.sessions, "users": row.users, "runs": row.runs}
    item |= {name: {"B": base64.b64encode(value).decode()} for name, value in prints.items() if value}
    if row.bodies:
        item["bodies"] = document(sorted(row.bodies))
    if row.first_expiry is not None:
        item["first_expiry"] = number(to_micros(row.first_expiry))
    return item


def read_object(tenant_id: str, item: Mapping[str, Any]) -> ArchivedObject:
    """Undo `object_item`."""
    first_expiry = read_number(item, "first_expiry")
    return ArchivedObject(
        tenant_id=tenant_id,
        agent_id=str(read_text(item, "agent_id")),
        key=str(read_text(item, "object_key")),
        sha256=_bytes(item, "sha256").hex(),
        size=read_number(item, "size") or 0,
        count=read_number(item, "count") or 0,
        first=Position(from_micros(read_number(item, "first_time") or 0), str(read_text(item, "first_id"))),
        last=Position(from_micros(read_number(item, "last_time") or 0), str(read_text(item, "last_id"))),
        sessions=_bytes(item, "sessions"),
        users=_bytes(item, "users"),
        runs=_bytes(item, "runs"),
        types=frozenset(read_document(item, "types")),
        bodies=frozenset(read_document(item, "bodies") or ()),
        first_expiry=None if first_expiry is None else from_micros(first_expiry),
        archived_at=from_micros(read_number(item, "archived_at") or 0),
    )


def object_bounds(reach: Reach, low: Position | None, high: Position | None) -> tuple[str, str]:
    """The sort keys between which every row of this reach stands whose stretch touches [low, high]."""
    start = f"{format_time(low.time)}#{low.id}" if low else ""
    end = f"{format_time(_later(high.time, REACHES[reach]))}#~" if high else ":"
    return f"{OBJECT}{reach}#{start}", f"{OBJECT}{reach}#{end}"


def _later(time: datetime, by: timedelta) -> datetime:
    latest = datetime.max.replace(tzinfo=time.tzinfo)
    return time + by if time <= latest - by else latest


def _bytes(item: Mapping[str, Any], name: str) -> bytes:
    value = item.get(name)
    return b"" if value is None else base64.b64decode(value["B"])
