"""Rows of the archive come in the order of a walk, as far as it goes."""

import random
from datetime import timedelta
from itertools import islice

import pytest

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.episode import Position
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import ScanBudgetSpent
from tests.contract.cold import Cold, a_row
from tests.fakes.clock import Clock
from tests.fakes.paging import Pages, Unlimited

LONGEST = [timedelta(minutes=59), timedelta(hours=23), timedelta(days=30)]


def some_rows(tenant: str, clock: Clock, chance: random.Random, count: int) -> list[ArchivedObject]:
    """Stretches of every length within four months, some of them alike."""
    rows = []
    for number in range(count):
        start = clock() - timedelta(hours=chance.randrange(24 * 120))
        stretch = chance.choice(LONGEST) * chance.choice([0, 0.3, 1])
        first, last = (Position(time, f"01J{number:023d}") for time in (start, start + stretch))
        rows.append(a_row(tenant, first, last, sessions=bytes(4 * chance.randrange(300))))
    return rows


def commit(cold: Cold, rows: list[ArchivedObject]) -> None:
    for start in range(0, len(rows), 90):
        assert cold.index.swap(rows[start : start + 90], [], 0)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 200])
def test_rows_come_by_their_near_ends(cold: Cold, tenant: str, clock: Clock, count: int, newest_first: bool) -> None:
    chance = random.Random(count)  # noqa: S311 - to be repeated, not to be secret
    rows = some_rows(tenant, clock, chance, count)
    commit(cold, rows)
    commit(cold, [a_row(tenant, Position(clock(), "01J"), Position(clock(), "01J"), agent="critic")])
    ends = [None, *(Position(clock() - timedelta(hours=chance.randrange(24 * 120)), "01J5") for _ in range(6))]

    for low, high in zip(ends, reversed(ends), strict=True):
        stretch = Stretch(tenant, "planner", low, high, newest_first)
        found = list(cold.rows.along(stretch, Unlimited()))
        touching = [row for row in rows if stretch.touches(row) and not (low and high and low > high)]
        assert {row.key for row in found} == {row.key for row in touching}
        assert [stretch.near_end(row) for row in found] == sorted(map(stretch.near_end, touching), reverse=newest_first)


@pytest.mark.parametrize("newest_first", [True, False])
def test_rows_are_read_as_far_as_the_budget_goes(cold: Cold, tenant: str, clock: Clock, newest_first: bool) -> None:
    places = [Position(clock() - timedelta(minutes=number), f"01J{number:023d}") for number in range(180)]
    rows = [a_row(tenant, place, place) for place in places]
    commit(cold, rows)
    found: list[ArchivedObject] = []

    with pytest.raises(ScanBudgetSpent):
        found.extend(cold.rows.along(Stretch(tenant, "planner", None, None, newest_first), Pages(2)))

    stretch = Stretch(tenant, "planner", None, None, newest_first)
    assert found == list(islice(cold.rows.along(stretch, Unlimited()), len(found)))
    assert 0 < len(found) <= 100
