"""Buckets: a session is always found again, and agents are spread evenly."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.buckets import GROWTH_DELAY, MAX_BUCKETS, Buckets

START = datetime(2026, 1, 1, tzinfo=UTC)
plans = st.sets(st.integers(2, MAX_BUCKETS), max_size=5).map(sorted)


def _grown(counts: list[int]) -> Buckets:
    buckets = Buckets()
    for day, count in enumerate(counts):
        buckets = buckets.grown(count, START + timedelta(days=day))
    return buckets


@given(plans, st.text(), st.integers(-10_000, 10_000))
def test_a_session_is_written_where_its_readers_look(counts: list[int], session_id: str, minutes: int) -> None:
    buckets = _grown(counts)
    written = buckets.for_write(session_id, START + timedelta(minutes=minutes))

    assert written in buckets.for_session(session_id)
    assert set(buckets.for_session(session_id)) <= set(buckets.all())


@given(plans, st.text(), st.integers(-10_000, 10_000))
def test_a_reader_that_does_not_know_the_newest_growth_yet_still_finds_the_session(
    counts: list[int], session_id: str, minutes: int
) -> None:
    now = START + timedelta(minutes=minutes)
    before = _grown(counts)
    after = before.grown(before.all()[-1] + 2, now) if len(before.all()) < MAX_BUCKETS else before
    soon = now + GROWTH_DELAY - timedelta(microseconds=1)

    assert after.for_write(session_id, soon) in before.for_session(session_id)


@given(plans, st.integers(-1, 100))
def test_buckets_only_grow_and_to_at_most_the_maximum(counts: list[int], count: int) -> None:
    buckets = _grown(counts)
    if len(buckets.all()) < count <= MAX_BUCKETS:
        assert buckets.grown(count, START).all() == list(range(count))
    else:
        with pytest.raises(ValueError, match="only grow"):
            buckets.grown(count, START)


def test_growth_counts_from_the_moment_it_takes_effect() -> None:
    buckets = Buckets().grown(8, START)
    spread = [f"session {number}" for number in range(100)]
    effective = START + GROWTH_DELAY

    assert {buckets.for_write(each, effective - timedelta(microseconds=1)) for each in spread} == {0}
    assert {buckets.for_write(each, effective) for each in spread} == set(range(8))


def test_eight_buckets_share_the_sessions_evenly() -> None:
    buckets = Buckets().grown(8, START)
    shares = Counter(buckets.for_write(f"session {number}", START + GROWTH_DELAY) for number in range(8000))

    assert all(850 < shares[bucket] < 1150 for bucket in range(8))
