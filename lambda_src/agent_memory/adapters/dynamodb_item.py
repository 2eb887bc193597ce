"""How records become DynamoDB items: key parts, attribute values, stored JSON and sizes."""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from typing import Any

from agent_memory.domain import json_document
from agent_memory.domain.bodies import MAX_INLINE_ANSWER_BYTES, StoredBody
from agent_memory.errors import NoRoomInRecord

Item = dict[str, dict[str, Any]]

_MAX_PART_BYTES = 200
# Write units are counted per started KB of the whole item, so shorter bodies are worth compressing too.
_COMPRESS_OVER_BYTES = 256
# DynamoDB's limit is 400 KB for names and values; the rest is room for what an update adds.
MAX_ITEM_BYTES = 390_000


def key_part(value: str) -> str:
    """Escape a part of a key, injectively: `#` separates parts, `%` escapes, `%h` marks a hash.

    A part over 200 bytes becomes its hash; the item keeps the original as an attribute.
    """
    escaped = value.replace("%", "%25").replace("#", "%23")
    if len(escaped.encode()) <= _MAX_PART_BYTES:
        return escaped
    return "%h" + hashlib.sha256(value.encode()).hexdigest()


def key(*parts: str) -> str:
    """Join escaped parts."""
    return "#".join(key_part(part) for part in parts)


def text(value: str) -> dict[str, Any]:
    """Make an attribute value of type string."""
    return {"S": value}


def number(value: int) -> dict[str, Any]:
    """Make an attribute value of type number."""
    return {"N": str(value)}


def document(value: Any) -> dict[str, Any]:
    """Make an attribute value of JSON: UTF-8, compressed when that pays."""
    return _compressed(json_document.dumps(value).encode())


def value_document(value: Any, annotations: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make an attribute value of a record's value, under `content` beside its annotations when there are some.

    Raises:
        NoRoomInRecord: the value has over 1,000,000 bytes: it would come back as a link, so it needs a body.
    """
    written = json_document.dumps(value)
    # Not encoded to be counted unless it may matter: a character has four bytes at most.
    if len(written) * 4 > MAX_INLINE_ANSWER_BYTES and len(written.encode()) > MAX_INLINE_ANSWER_BYTES:
        raise NoRoomInRecord(f"the value has over {MAX_INLINE_ANSWER_BYTES} bytes")
    if annotations is None:
        return _compressed(written.encode())
    return document({"content": json_document.RawJson(written), **annotations})


def _compressed(raw: bytes) -> dict[str, Any]:
    if len(raw) > _COMPRESS_OVER_BYTES:
        raw = min(raw, gzip.compress(raw, compresslevel=6, mtime=0), key=len)
    return {"B": base64.b64encode(raw).decode()}


def read_text(item: Mapping[str, Any], name: str) -> str | None:
    """Read a string."""
    value = item.get(name)
    return None if value is None else str(value["S"])


def read_number(item: Mapping[str, Any], name: str) -> int | None:
    """Read an integer."""
    value = item.get(name)
    return None if value is None else int(value["N"])


def read_document(item: Mapping[str, Any], name: str) -> Any:
    """Read JSON, as it was written."""
    value = item.get(name)
    if value is None:
        return None
    stored = base64.b64decode(value["B"])
    # JSON never begins with gzip's first byte.
    raw = gzip.decompress(stored) if stored[:1] == b"\x1f" else stored
    return json_document.parse(raw.decode())


def check_size(item: Item) -> Item:
    """Refuse what DynamoDB would refuse, before anything is sent.

    Raises:
        NoRoomInRecord: over 390,000 bytes after compression.
    """
    size = item_bytes(item)
    if size > MAX_ITEM_BYTES:
        raise NoRoomInRecord(
            f"the record has {size} bytes after compression; at most {MAX_ITEM_BYTES} fit",
            details={"bytes": size, "limit": MAX_ITEM_BYTES},
        )
    return item


def item_bytes(item: Item) -> int:
    """Names and values of an item, as a limit and as usage; what was written counts the same when it is read."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    if "B" in value:
        return len(value["B"]) * 3 // 4
    return len(str(next(iter(value.values()))).encode())


BODY_ATTRIBUTES = ("body_key", "body_sha256", "body_size", "body_opaque")


def body_pointer(body: StoredBody) -> Item:
    """The attributes by which an item owns a body."""
    pointer = {"body_key": text(body.key), "body_sha256": text(body.sha256), "body_size": number(body.size)}
    return pointer | ({"body_opaque": number(1)} if body.is_opaque else {})


def read_body(item: Mapping[str, Any]) -> StoredBody | None:
    """Undo `body_pointer`; None for an item that owns no body."""
    key_ = read_text(item, "body_key")
    if key_ is None:
        return None
    return StoredBody(
        key_, str(read_text(item, "body_sha256")), read_number(item, "body_size") or 0, "body_opaque" in item
    )


def owner_of(item: Mapping[str, Any]) -> str:
    """What an item is called in keys of bodies: base64url of both parts of its own key."""
    return base64.urlsafe_b64encode(f"{item['pk']['S']}\n{item['sk']['S']}".encode()).decode().rstrip("=")


def owned_by(owner: str) -> Item:
    """Undo `owner_of`: the key of the item.

    Raises:
        ValueError: it is no such name.
    """
    pk, _, sk = base64.urlsafe_b64decode(owner + "=" * (-len(owner) % 4)).decode().partition("\n")
    return {"pk": text(pk), "sk": text(sk)}
