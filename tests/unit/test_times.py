"""RFC 3339 in, sortable UTC out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.times import format_time, from_micros, parse_time, to_micros

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00.000000Z"),
        ("2026-11-20t09:30:00z", "2026-11-20T09:30:00.000000Z"),
        ("2026-11-20 09:30:00Z", "2026-11-20T09:30:00.000000Z"),
        ("2026-11-20T09:30:00.5+02:00", "2026-11-20T07:30:00.500000Z"),
        ("2026-11-20T09:30:00.123456789Z", "2026-11-20T09:30:00.123456Z"),
        ("2026-11-20T09:30:00-00:00", "2026-11-20T09:30:00.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
    ],
)
def test_rfc_3339_is_read_as_utc(text: str, utc: str) -> None:
    assert format_time(parse_time(text)) == utc


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-20", "2026-11-20T09:30:00", "2026-11-20T09:30Z", "2026-W47-5T09:30:00Z", "20261120T093000Z",
        "2026-11-20T09:30:00.Z", "2026-11-20T09:30:00+0200", "2026-11-20T09:30:00,5Z", " 2026-11-20T09:30:00Z",
        "2026-11-20T09:30:00Z\n", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-20T25:00:00Z", "2026-11-20T09:60:00Z", "2026-11-20T09:30:00+99:00", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "٢٠٢٦-11-20T09:30:00Z", "now", "1763631000",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_time(text)


@given(moments, moments)
def test_times_as_text_sort_as_times_do(one: datetime, other: datetime) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)


@given(moments)
def test_a_time_survives_text_and_number(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment
    assert from_micros(to_micros(moment)) == moment
    assert from_micros(to_micros(moment)).tzinfo is UTC
