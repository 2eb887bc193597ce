"""Times: RFC 3339 in, UTC with microseconds out; integers of microseconds where a store sorts by them."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# RFC 3339 section 5.6; Python's own parser also takes week dates and times without an offset.
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Read RFC 3339 as UTC; digits past the microsecond are dropped.

    Raises:
        ValueError: not RFC 3339, or a time that UTC years 1 to 9999 cannot hold.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        msg = "must be an RFC 3339 time with an offset, such as 2026-11-20T09:30:00Z"
        raise ValueError(msg)
    day, clock, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        msg = "must be a time that exists, between the years 1 and 9999"
        raise ValueError(msg) from None


def format_time(value: datetime) -> str:
    """Fixed width, so that text sorts as time does: 2026-11-20T09:30:00.000000Z."""
    utc = value.astimezone(UTC)
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%S}.{utc.microsecond:06}Z"


def to_micros(value: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (value - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Undo `to_micros`."""
    return _EPOCH + timedelta(microseconds=micros)
