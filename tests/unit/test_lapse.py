"""When records leave the cold tier: never one that lives, always within the time that is promised."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.description import describe
from agent_memory.domain.identifiers import new_ulid, ulid_time
from agent_memory.domain.lapse import REWRITTEN_AFTER, has_lapsed, is_due
from tests.contract.walks import an_episode

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
DAYS = st.integers(-400, 400).map(lambda days: timedelta(days=days))
RETENTION = st.none() | st.integers(1, 400).map(lambda days: timedelta(days=days))


@pytest.mark.parametrize(("ago", "is_gone"), [(timedelta(0), False), (DAY - timedelta(seconds=1), False), (DAY, True)])
def test_a_record_has_lapsed_a_day_after_its_expiry(ago: timedelta, is_gone: bool) -> None:
    episode = replace(an_episode("acme", NOW), expires_at=NOW - ago)

    assert has_lapsed(episode, None, NOW) is is_gone


@given(DAYS, st.none() | DAYS, RETENTION, DAYS)
def test_what_lives_never_lapses_whatever_the_clock_said_before(
    written: timedelta, expiry: timedelta | None, retention: timedelta | None, back: timedelta
) -> None:
    """A clock that goes back makes less lapse, never more."""
    episode = replace(an_episode("acme", NOW + written), expires_at=None if expiry is None else NOW + expiry)

    if has_lapsed(episode, retention, NOW):
        is_past = retention is not None and episode.created_at + retention <= NOW
        assert is_past or not episode.is_live(NOW)
        assert has_lapsed(episode, retention, NOW + abs(back))
    else:
        assert not has_lapsed(episode, retention, NOW - abs(back))


@given(st.lists(st.tuples(DAYS, st.none() | DAYS), min_size=1, max_size=8), RETENTION)
def test_an_object_that_is_due_loses_at_least_one_record(
    drawn: list[tuple[timedelta, timedelta | None]], retention: timedelta | None
) -> None:
    """Otherwise it would be read again with each sweep, for nothing."""
    episodes = sorted(
        (
            replace(an_episode("acme", NOW + written), expires_at=None if expiry is None else NOW + expiry)
            for written, expiry in drawn
        ),
        key=lambda each: each.position,
    )
    row = describe(episodes, b"", 0, max(each.created_at for each in episodes))

    if is_due(row, retention, NOW):
        assert any(has_lapsed(each, retention, NOW) for each in episodes)
    oldest = min(each.expires_at or NOW for each in episodes)
    assert is_due(row, retention, NOW) or oldest > NOW - REWRITTEN_AFTER
    ends_past = retention is not None and NOW - min(each.created_at for each in episodes) >= retention + REWRITTEN_AFTER
    assert is_due(row, retention, NOW) or not ends_past


def test_what_was_written_before_its_time_goes_with_the_whole_object_at_the_latest() -> None:
    """Of such records the row says nothing."""
    early = an_episode("acme", NOW, timestamp=NOW + DAY)
    around = [an_episode("acme", NOW + 10 * DAY, timestamp=NOW + offset) for offset in (timedelta(0), 2 * DAY)]
    row = describe([around[0], early, around[1]], b"", 0, NOW + 12 * DAY)

    assert not is_due(row, MONTH, NOW + MONTH + REWRITTEN_AFTER)
    assert is_due(row, MONTH, NOW + 10 * DAY + MONTH + REWRITTEN_AFTER)


@given(st.datetimes(datetime(1970, 1, 1), datetime(6000, 1, 1)))  # noqa: DTZ001 - hypothesis wants them naive
def test_an_id_tells_when_it_was_made(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)

    assert ulid_time(new_ulid(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@pytest.mark.parametrize("other", ["", "x", "0" * 25, "U" * 26, "Z" * 26, "é" * 26])
def test_other_ids_tell_nothing(other: str) -> None:
    assert ulid_time(other) is None
