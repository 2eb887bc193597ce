"""What the index of the cold tier promises, in memory and on DynamoDB."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.archive import REACHES, ArchivedObject, Key, Pending
from agent_memory.domain.episode import Position
from tests.contract.cold import Cold, a_row, positions
from tests.fakes.clock import Clock

LOOK_ALIKES = ["a", "a#b", "a#ARCHIVE", "a%23b", "ARCHIVE", "x" * 256, "#" * 256]
HIGHEST_ID, LOWEST_ID = "7" + "Z" * 25, "0" * 26


def pending_of(clock: Clock, *minutes: float, bucket: int = 0) -> Pending:
    keys = tuple(Key(bucket, position) for position in positions(clock, *minutes))
    return Pending(keys, 100 * len(keys), clock())


def test_what_is_noted_is_pending_until_it_is_forgotten(cold: Cold, tenant: str, clock: Clock) -> None:
    first, second = pending_of(clock, 0, 1), pending_of(clock, 0, 1, 2, bucket=7)
    for _ in range(2):
        cold.index.note(tenant, "planner", first)
    cold.index.note(tenant, "planner", second)
    cold.index.note(tenant, "critic", first)

    assert sorted(cold.index.pending(tenant, "planner"), key=lambda each: each.size) == [first, second]
    cold.index.forget(tenant, "planner", [first])
    cold.index.forget(tenant, "planner", [first])

    assert cold.index.pending(tenant, "planner") == [second]
    assert cold.index.pending(tenant, "critic") == [first]


@pytest.mark.parametrize("count", [1, 2000])
def test_a_whole_delivery_can_be_noted_at_once(cold: Cold, tenant: str, clock: Clock, count: int) -> None:
    noted = pending_of(clock, *range(count))

    cold.index.note(tenant, "planner", noted)

    assert cold.index.pending(tenant, "planner") == [noted]


def test_many_notes_are_forgotten_at_once(cold: Cold, tenant: str, clock: Clock) -> None:
    several = [pending_of(clock, *range(count)) for count in range(1, 31)]
    for each in several:
        cold.index.note(tenant, "planner", each)

    cold.index.forget(tenant, "planner", several[1:])

    assert cold.index.pending(tenant, "planner") == several[:1]


def test_a_row_is_read_as_it_was_written(cold: Cold, tenant: str, clock: Clock) -> None:
    first, last = positions(clock, 0, 30)
    full: dict[str, Any] = {
        "sessions": bytes(range(8)),
        "users": b"\x00" * 4,
        "runs": b"\xff" * 4,
        "types": frozenset(["action", "conversation"]),
        "bodies": frozenset([f"{tenant}/planner/bodies/EPISODE/{number}" for number in range(50)]),
        "first_expiry": clock(),
    }
    bare: dict[str, Any] = {name: type(value)() for name, value in full.items() if name != "first_expiry"}
    for agent, fields in (("planner", full), ("x" * 256, bare)):
        row = a_row(tenant, first, last, agent, **fields)

        assert cold.index.swap([row], [], 0)

        assert cold.index.overlapping(tenant, agent, None, None, newest_first=True) == [row]


def rows_of(cold: Cold, tenant: str, **bounds: Position | None) -> list[str]:
    low, high = bounds.get("low"), bounds.get("high")
    return [row.key for row in cold.index.overlapping(tenant, "planner", low, high, newest_first=True)]


def test_objects_are_found_by_every_stretch_that_they_touch(cold: Cold, tenant: str, clock: Clock) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    rng = random.Random(5)  # noqa: S311 - a seed, not a secret
    rows = []
    for number in range(40):
        start = at + timedelta(hours=rng.randrange(700))
        stretch = rng.choice([timedelta(), *REACHES.values(), timedelta(minutes=7), timedelta(hours=9)])
        ids = rng.choice([(LOWEST_ID, HIGHEST_ID), (f"01J{number:023d}", f"01K{number:023d}")])
        rows.append(a_row(tenant, Position(start, ids[0]), Position(start + stretch, ids[1]), name=f"n{number}"))
        assert cold.index.swap(rows[-1:], [], 0)
    ends = [end for row in rows[::4] for end in (row.first, row.last)]
    nearby = [Position(end.time, end.id[:-1] + step) for end in ends[::3] for step in "0Z"]
    bounds = [None, *ends, *nearby]
    for _ in range(60):
        low, high = rng.choice(bounds), rng.choice(bounds)
        touching = [row for row in rows if (not low or row.last >= low) and (not high or row.first <= high)]
        if low and high and low > high:
            touching = []

        newest = cold.index.overlapping(tenant, "planner", low, high, newest_first=True)
        oldest = cold.index.overlapping(tenant, "planner", low, high, newest_first=False)

        assert {row.key for row in newest} == {row.key for row in touching}
        assert [row.last for row in newest] == sorted((row.last for row in touching), reverse=True)
        assert [row.first for row in oldest] == sorted(row.first for row in touching)


def test_the_ends_of_time_belong_to_it(cold: Cold, tenant: str) -> None:
    least = datetime.min.replace(tzinfo=UTC)
    most = datetime.max.replace(tzinfo=UTC)
    early = a_row(tenant, Position(least, LOWEST_ID), Position(least, LOWEST_ID))
    late = a_row(tenant, Position(most, HIGHEST_ID), Position(most, HIGHEST_ID))
    assert cold.index.swap([early, late], [], 0)

    for row in (early, late):
        assert rows_of(cold, tenant, low=row.first, high=row.last) == [row.key]
    assert rows_of(cold, tenant) == [late.key, early.key]


def test_a_swap_is_all_or_nothing(cold: Cold, tenant: str, clock: Clock) -> None:
    first, second, third, fourth = (a_row(tenant, each, each) for each in positions(clock, 0, 1, 2, 3))
    assert cold.index.swap([first, second], [], 0)

    assert not cold.index.swap([fourth], [first, third], 0), "the third is not there"
    assert rows_of(cold, tenant) == [second.key, first.key]
    assert cold.index.swap([third], [first, second], 0)
    assert rows_of(cold, tenant) == [third.key]
    assert cold.index.swap([], [third], 0)
    assert rows_of(cold, tenant) == []


def test_committing_again_what_stands_there_is_well(cold: Cold, tenant: str, clock: Clock) -> None:
    first, second, third = (a_row(tenant, each, each) for each in positions(clock, 0, 1, 2))
    for _ in range(2):
        assert cold.index.swap([first, second], [], 0)
    for _ in range(2):
        assert cold.index.swap([third], [first, second], 0)

    assert rows_of(cold, tenant) == [third.key]
    cold.index.swap([first], [], 0)
    assert not cold.index.swap([third], [first, second], 0), "the first is there again, the second is not"
    assert rows_of(cold, tenant) == [third.key, first.key]


def test_nothing_read_before_a_purge_is_committed_after_it(cold: Cold, tenant: str, clock: Clock) -> None:
    first, second = (a_row(tenant, each, each) for each in positions(clock, 0, 1))
    assert cold.index.epoch(tenant, "planner") == 0
    assert cold.index.swap([first], [], 0)

    cold.index.begin_epoch(tenant, "planner")

    now = cold.index.epoch(tenant, "planner")
    assert now > 0
    assert not cold.index.swap([second], [], 0)
    assert not cold.index.swap([first], [], 0), "even what stands there"
    assert not cold.index.swap([second], [first], 0)
    assert rows_of(cold, tenant) == [first.key]
    assert cold.index.epoch(tenant, "critic") == 0
    assert cold.index.swap([second], [first], now)


def test_most_of_a_month_can_be_swapped_at_once(cold: Cold, tenant: str, clock: Clock) -> None:
    small = [a_row(tenant, each, each) for each in positions(clock, *range(98))]
    whole = a_row(tenant, small[0].first, small[-1].last)
    for start in range(0, len(small), 49):
        assert cold.index.swap(small[start : start + 49], [], 0)

    assert cold.index.swap([whole], small, 0)

    assert rows_of(cold, tenant) == [whole.key]


def test_agents_and_tenants_whose_names_look_alike_keep_their_own(cold: Cold, tenant: str, clock: Clock) -> None:
    (place,) = positions(clock, 0)
    rows: dict[tuple[str, str], ArchivedObject] = {}
    for owner in (tenant, f"{tenant}-2"):
        for agent in LOOK_ALIKES:
            row = rows[owner, agent] = a_row(owner, place, place, agent)
            assert cold.index.swap([row], [], 0)
            cold.index.note(owner, agent, pending_of(clock, 0))

    for (owner, agent), row in rows.items():
        assert cold.index.overlapping(owner, agent, None, None, newest_first=False) == [row]
        assert len(cold.index.pending(owner, agent)) == 1
