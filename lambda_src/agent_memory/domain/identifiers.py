"""Ids: what a caller may choose, how an id is written in a path, and the ids that the server makes."""

import base64
import binascii
import os
import re
import time
import unicodedata
from datetime import datetime
from uuid import UUID

from agent_memory.domain.times import from_micros, to_micros

MAX_ID_BYTES = 256
TENANT_ID = re.compile(r"[a-z0-9-]{1,63}")
# Clients resolve "." and ".." in a path, so these two are encoded like what is unsafe.
_PATH_SAFE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._:@+=,-]+")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def check_id(value: str) -> str:
    """Accept 1 to 256 bytes of UTF-8 without control characters, kept byte for byte.

    Raises:
        ValueError: says which rule is broken.
    """
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        msg = "must be valid Unicode"
        raise ValueError(msg) from None
    if not 1 <= size <= MAX_ID_BYTES:
        msg = f"must have 1 to {MAX_ID_BYTES} bytes of UTF-8"
        raise ValueError(msg)
    if any(unicodedata.category(character) == "Cc" for character in value):
        msg = "must not hold control characters"
        raise ValueError(msg)
    return value


def from_path(segment: str) -> str:
    """Read an id from a path: plain when every character is safe there, else `~` and base64url.

    One id has exactly one spelling, so two ids can never meet in one path.

    Raises:
        ValueError: neither form, or an id that `check_id` refuses.
    """
    if _PATH_SAFE.fullmatch(segment):
        return check_id(segment)
    try:
        value = base64.urlsafe_b64decode(segment[1:] + "=" * (-len(segment[1:]) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        value = ""
    if not value or to_path(value) != segment:
        msg = "in a path must be written plain when it holds only A-Za-z0-9._:@+=,- and else as ~base64url"
        raise ValueError(msg)
    return check_id(value)


def to_path(value: str) -> str:
    """Write an id for a path."""
    if _PATH_SAFE.fullmatch(value):
        return value
    return "~" + base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def new_ulid(at: datetime, randomness: bytes | None = None) -> str:
    """Make a ULID (https://github.com/ulid/spec): 48 bits of milliseconds, 80 random bits, 26 characters."""
    millis = max(to_micros(at) // 1000, 0)
    number = (millis << 80) | int.from_bytes(randomness or os.urandom(10), "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def ulid_time(ulid: str) -> datetime | None:
    """When an id of `new_ulid` was made, to the millisecond; None for any other id."""
    if len(ulid) != 26 or not set(ulid) <= set(_CROCKFORD):
        return None
    millis = 0
    for character in ulid[:10]:
        millis = millis << 5 | _CROCKFORD.index(character)
    return from_micros(millis * 1000) if millis < 1 << 47 else None


def time_ordered_uuid() -> str:
    """A UUID of version 7: milliseconds since 1970, then random bits. Their indexes grow at one end and stay dense."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return str(UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62 & 0xFFF) << 64 | 2 << 62 | random & (1 << 62) - 1))
