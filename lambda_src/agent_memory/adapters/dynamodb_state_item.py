"""A session's state as a DynamoDB item, whole and in part."""

from datetime import datetime
from typing import Any

from agent_memory.adapters.dynamodb_item import (
    BODY_ATTRIBUTES,
    Item,
    body_pointer,
    check_size,
    document,
    key,
    key_part,
    number,
    read_body,
    read_document,
    read_number,
    text,
    value_document,
)
from agent_memory.domain.state import State, StateChange, StateKey
from agent_memory.domain.times import from_micros, to_micros

SESSION = "SESSION#"
LIVE = "(attribute_not_exists(expires_at) OR expires_at > :now)"
_ANNOTATIONS = ("user_id", "purposes", "metadata", "source", "trust")


def item_key(state_key: StateKey) -> Item:
    """Where the record stands."""
    return {
        "pk": text(key(state_key.tenant_id, state_key.agent_id, "0")),
        "sk": text(SESSION + key_part(state_key.session_id)),
    }


def state_item(state: State, write_id: str) -> Item:
    """Make the item.

    Raises:
        NoRoomInRecord: over 390,000 bytes after compression, or data over 1,000,000 bytes.
    """
    item = {
        **item_key(state.key),
        "agent_id": text(state.key.agent_id),
        "session_id": text(state.key.session_id),
        "version": number(state.version),
        **_data(state),
        "created_at": number(to_micros(state.created_at)),
        "updated_at": number(to_micros(state.updated_at)),
        "write_id": text(write_id),
        **_expiry(state.expires_at),
        **{name: document(value) for name, value in state.annotations.items()},
    }
    return check_size(item)


def changed_attributes(change: StateChange, write_id: str) -> Item:
    """The attributes that a change sets.

    Raises:
        NoRoomInRecord: these alone are over 390,000 bytes after compression, or data over 1,000,000 bytes.
    """
    new = {
        **_data(change),
        "version": number(change.version),
        "updated_at": number(to_micros(change.updated_at)),
        "write_id": text(write_id),
        **_expiry(change.expires_at),
        **{name: document(value) for name, value in change.annotations.items()},
    }
    return check_size(new)


def dropped_by(new: Item) -> tuple[str, ...]:
    """The attributes of the version before that must not stay: data is in the item or in a body, never in both."""
    return tuple(name for name in ("body", *BODY_ATTRIBUTES) if name not in new)


def update_of(new: Item, version: int) -> dict[str, Any]:
    """The part of an UpdateItem that sets `new` over the live version before."""
    values = {f":{name}": value for name, value in new.items()}
    values[":before"] = number(version - 1)
    values[":now"] = new["updated_at"]
    return {
        "UpdateExpression": "SET "
        + ", ".join(f"#{name} = :{name}" for name in new)
        + " REMOVE "
        + ", ".join(dropped_by(new)),
        "ConditionExpression": f"version = :before AND {LIVE}",
        "ExpressionAttributeNames": {f"#{name}": name for name in new},
        "ExpressionAttributeValues": values,
    }


def read_state(state_key: StateKey, item: Item) -> State:
    """Undo `state_item`."""
    expires_at = read_number(item, "expires_at")
    return State(
        key=state_key,
        data=read_document(item, "body"),
        version=read_number(item, "version") or 0,
        created_at=from_micros(read_number(item, "created_at") or 0),
        updated_at=from_micros(read_number(item, "updated_at") or 0),
        expires_at=None if expires_at is None else from_micros(expires_at),
        annotations={name: read_document(item, name) for name in _ANNOTATIONS if name in item},
        body=read_body(item),
    )


def _data(written: State | StateChange) -> Item:
    if written.body is not None:
        return body_pointer(written.body)
    return {"body": value_document(written.data)}


def _expiry(expires_at: datetime | None) -> Item:
    if expires_at is None:
        return {}
    micros = to_micros(expires_at)
    return {"expires_at": number(micros), "evict_at": number(micros // 1_000_000 + 1)}
