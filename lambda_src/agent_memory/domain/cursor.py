"""Cursors: where a walk stands, signed so that only the walk it was made for can go on with it."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from agent_memory.errors import InvalidRequest

_TAG_BYTES = 16
_KEY_BYTES = 32


def seal(key: bytes, walk: str, position: list[Any]) -> str:
    """Sign a position; `key` belongs to the tenant, `walk` describes the query without its limit.

    A key may be several of 32 bytes, one behind the other: the first one signs, all of them are accepted.
    """
    payload = json.dumps(position, separators=(",", ":")).encode()
    return _encoded(_tag(key[:_KEY_BYTES], walk, payload) + payload)


def unseal(key: bytes, walk: str, cursor: str) -> list[Any]:
    """Give back the position.

    Raises:
        InvalidRequest: changed, from another tenant or from another query.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeError, ValueError):
        raw = b""
    tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    # Base64 has many spellings of the same bytes (stray characters, spare bits); only ours counts as unchanged.
    keys = [key[start : start + _KEY_BYTES] for start in range(0, max(len(key), 1), _KEY_BYTES)]
    signed = [hmac.compare_digest(tag, _tag(each, walk, payload)) for each in keys]
    genuine = _encoded(raw) == cursor and any(signed)
    if not payload or not genuine:
        raise InvalidRequest.of("cursor", "must be a next_cursor of the same query")
    position: list[Any] = json.loads(payload)
    return position


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _tag(key: bytes, walk: str, payload: bytes) -> bytes:
    # The walk is hashed to a fixed length, so that it and the payload cannot be shifted against each other.
    digest = hashlib.sha256(walk.encode()).digest()
    return hmac.new(key, digest + payload, hashlib.sha256).digest()[:_TAG_BYTES]
