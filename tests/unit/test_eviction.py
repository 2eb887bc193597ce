"""When episodes leave the hot tier, and what the time of it says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.archive import LEAST_HOT
from agent_memory.domain.episode import Episode
from agent_memory.domain.eviction import at_expiry, at_write, once_archived
from tests.contract.walks import an_episode

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
WINDOWS = st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=3650)])
TIMES = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))


def episode(timestamp: datetime, expires_at: datetime | None) -> Episode:
    return replace(an_episode("acme", NOW, timestamp=timestamp), expires_at=expires_at)


@given(TIMES, st.none() | TIMES, WINDOWS, st.timedeltas(timedelta(), timedelta(days=30)))
def test_an_archived_episode_stays_hot_long_enough(
    timestamp: datetime, expires_at: datetime | None, window: timedelta, later: timedelta
) -> None:
    now = NOW + later
    evict_at = once_archived(episode(timestamp, expires_at), window, now)

    latest = LAST - timedelta(days=1)
    assert evict_at >= min(NOW + max(window, LEAST_HOT), latest)
    assert evict_at >= min(now + timedelta(hours=1), latest)
    if timestamp < LAST - timedelta(days=4000):
        assert evict_at >= timestamp + LEAST_HOT
    assert evict_at.microsecond == 0


def test_the_end_of_time_is_no_error() -> None:
    """DynamoDB's stream tells of such records too."""
    assert once_archived(episode(LAST, LAST), timedelta(days=7), LAST) != at_expiry(LAST)


@given(st.integers(-3_000_000, 3_000_000), WINDOWS)
def test_the_time_says_whether_an_object_holds_it(micros: int, window: timedelta) -> None:
    """However close the expiry comes to the time that an archived episode is evicted at."""
    hot_until = once_archived(episode(NOW, None), window, NOW)
    expires_at = hot_until + timedelta(microseconds=micros)

    evict_at = once_archived(episode(NOW, expires_at), window, NOW)

    assert evict_at != at_expiry(expires_at)
    assert hot_until <= evict_at <= hot_until + timedelta(seconds=1)


@given(TIMES.filter(lambda time: time < LAST - timedelta(days=1)))
def test_nothing_goes_before_it_has_expired(expires_at: datetime) -> None:
    assert expires_at < at_expiry(expires_at) <= expires_at + timedelta(seconds=1)


def test_only_what_expires_within_the_window_goes_without_being_archived() -> None:
    window = timedelta(days=7)

    assert at_write(episode(NOW, None), window) is None
    assert at_write(episode(NOW, NOW + window), window) == at_expiry(NOW + window)
    assert at_write(episode(NOW, NOW + window + timedelta(microseconds=1)), window) is None
    assert at_write(episode(NOW, LAST), window) is None
