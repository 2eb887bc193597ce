"""Which small objects become one: nothing is lost or cut, no month is crossed, and writing stays rare."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.archive import FULL_BYTES, ArchivedObject
from agent_memory.domain.compaction import MERGED_BYTES, MERGED_OBJECTS, merged, small_ones
from agent_memory.domain.episode import Position

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
SIZES = st.lists(st.integers(1, MERGED_BYTES + 10), max_size=200)


def a_row(at: datetime, size: int = 1000, lasting: timedelta = timedelta(minutes=5), key: str = "") -> ArchivedObject:
    first, last = Position(at, "01"), Position(at + lasting, "02")
    no = b""
    return ArchivedObject(
        "acme", "planner", key or f"{at}", "", size, 1, first, last, no, no, no, frozenset(), frozenset(), None, at
    )


def rows_from(at: datetime, count: int) -> list[ArchivedObject]:
    return [a_row(at + timedelta(minutes=number)) for number in range(count)]


@pytest.mark.parametrize(
    ("at", "count", "is_worth_it"),
    [
        (NOW, 9, False),
        (NOW, 10, True),
        (NOW.replace(month=10), 1, False),
        (NOW.replace(month=10), 2, True),
    ],
)
def test_a_month_that_fills_up_takes_many_and_a_full_one_two(at: datetime, count: int, is_worth_it: bool) -> None:
    assert small_ones(rows_from(at, count), NOW, WEEK) == ([rows_from(at, count)] if is_worth_it else [])


@pytest.mark.parametrize(("day", "is_full"), [(7, False), (8, True)])
def test_a_month_fills_up_as_long_as_its_last_episodes_may_wait(day: int, is_full: bool) -> None:
    october = rows_from(datetime(2026, 10, 30, tzinfo=UTC), 2)

    assert bool(small_ones(october, datetime(2026, 11, day, tzinfo=UTC), WEEK)) is is_full


def test_full_objects_and_those_of_two_months_are_left_alone() -> None:
    rows = rows_from(NOW, 9)
    between = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
    others = [a_row(NOW, FULL_BYTES), a_row(between), a_row(between, key="another")]

    assert small_ones([*rows, *others], NOW, WEEK) == []


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 2 * FULL_BYTES)), max_size=80))
def test_each_small_object_is_named_once_in_its_own_month(drawn: list[tuple[int, int]]) -> None:
    rows = [a_row(NOW - timedelta(days=days), size, key=str(number)) for number, (days, size) in enumerate(drawn)]

    months = small_ones(reversed(rows), NOW, WEEK)

    named = [row.key for month in months for row in month]
    assert len(named) == len(set(named))
    assert all(row.size < FULL_BYTES for month in months for row in month)
    assert all(len({(row.first.time.year, row.first.time.month) for row in month}) == 1 for month in months)
    assert all(month == sorted(month, key=lambda row: row.first) for month in months)


def test_the_last_month_of_all_is_planned_too() -> None:
    last = [replace(row, key=str(row.first.time)) for row in rows_from(datetime(9999, 12, 31, tzinfo=UTC), 10)]

    assert len(small_ones(last, NOW, WEEK)) == 1


@given(SIZES)
def test_only_neighbours_that_fit_become_one(sizes: list[int]) -> None:
    groups = merged(sizes)

    covered = [place for group in groups for place in range(group.start, group.stop)]
    assert covered == sorted(set(covered))
    assert all(1 < group.stop - group.start <= MERGED_OBJECTS for group in groups)
    assert all(sum(sizes[group]) <= MERGED_BYTES for group in groups)


@given(SIZES)
def test_no_two_neighbours_are_left_that_would_fit(sizes: list[int]) -> None:
    """So that few objects are left, and what is left changes nothing when it is looked at again."""
    after = merge_once(sizes)

    fits = [
        place
        for place in range(len(after) - 1)
        if sum(after[place : place + 2]) <= MERGED_BYTES and after[place] not in full_groups(sizes)
    ]
    assert fits == []


@given(st.lists(st.lists(st.integers(1, 300_000), max_size=12), max_size=40))
def test_each_write_takes_at_least_one_object_away(days: list[list[int]]) -> None:
    """So compaction never writes as often as the archiver did, and with tiny objects nine times less."""
    small: list[int] = []
    archived = written = 0
    for day in days:
        archived += len(day)
        small += day
        if len(small) >= 10:
            written += len(merged(small))
            small = merge_once(small)
    assert written <= max(0, archived - len(small))


@pytest.mark.parametrize(("count", "at_most"), [(10, 1), (1000, 111)])
def test_tiny_objects_are_written_once_for_nine_that_are_gone(count: int, at_most: int) -> None:
    small: list[int] = []
    written = 0
    for _ in range(count):
        small.append(100)
        if len(small) >= 10:
            written += len(merged(small))
            small = merge_once(small)

    assert written <= at_most
    assert sum(small) == count * 100


def merge_once(sizes: list[int]) -> list[int]:
    groups = {group.start: group for group in merged(sizes)}
    inside = {place for group in groups.values() for place in range(group.start + 1, group.stop)}
    return [
        sum(sizes[groups[place]]) if place in groups else size
        for place, size in enumerate(sizes)
        if place not in inside
    ]


def full_groups(sizes: list[int]) -> set[int]:
    """What has taken as many objects as one may."""
    return {sum(sizes[group]) for group in merged(sizes) if group.stop - group.start == MERGED_OBJECTS}
