"""How records become DynamoDB items: key parts, attribute values, stored JSON and sizes."""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from typing import Any

from agent_memory.domain import json_document
from agent_memory.errors import PayloadTooLarge

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
    raw = json_document.dumps(value).encode()
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
        PayloadTooLarge: over 390,000 bytes after compression.
    """
    size = item_bytes(item)
    if size > MAX_ITEM_BYTES:
        raise PayloadTooLarge(
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
