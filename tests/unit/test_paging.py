"""Pages: full when they can be, and a walk always goes on."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.timeline import EpisodeQuery, Span
from agent_memory.domain.usage import Tally
from agent_memory.service import paging
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.large_values import LargeValues
from agent_memory.service.paging import PageBudget, fill_page
from agent_memory.service.subjects import Subjects
from tests.contract.walks import an_episode
from tests.fakes.bodies import InMemoryBodies
from tests.fakes.clock import Clock
from tests.fakes.control import InMemorySubjectStore
from tests.fakes.episodes import InMemoryEpisodeStore
from tests.fakes.idempotency import InMemoryIdempotencyStore

START = datetime(2026, 1, 1, tzinfo=UTC)


def stream(records: list[int], spent_after: int | None = None) -> Iterator[tuple[int, int]]:
    for place, record in enumerate(records):
        if place == spent_after:
            raise ScanBudgetSpent
        yield record, record


@given(st.lists(st.integers(1, 1000), unique=True).map(sorted), st.integers(1, 10), st.integers(1, 5))
def test_pages_of_a_stream_are_the_stream(records: list[int], limit: int, divisor: int) -> None:
    wanted = [record for record in records if record % divisor == 0]
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        rest = [record for record in records if record > after]
        page = fill_page(stream(rest), PageBudget(), limit, lambda record: record % divisor == 0, lambda record: record)
        assert len(page.items) == limit or page.resume_after is None
        found += page.items
        after = page.resume_after

    assert found == [str(record) for record in wanted]


def test_a_full_page_is_not_partial_although_the_budget_is_spent() -> None:
    page = fill_page(stream([1, 2, 3], spent_after=2), PageBudget(), 2, lambda _: True, lambda record: record)

    assert (page.items, page.resume_after, page.partial) == (["1", "2"], 2, False)


def test_a_page_that_the_budget_cut_goes_on_after_what_it_examined() -> None:
    page = fill_page(
        stream([1, 2, 3], spent_after=2), PageBudget(), 2, lambda record: record == 1, lambda record: record
    )

    assert (page.items, page.resume_after, page.partial) == (["1"], 2, True)


def test_one_record_over_the_limit_of_bytes_is_a_page_of_its_own() -> None:
    big = "x" * paging.MAX_PAGE_BYTES
    page = fill_page(iter([(1, big), (2, big)]), PageBudget(), 5, lambda _: True, lambda record: record)

    assert (len(page.items), page.resume_after, page.partial) == (1, 1, False)


def test_a_page_ends_when_the_time_is_over_and_not_before_it_examined_a_record() -> None:
    class OutOfTime(PageBudget):
        def in_time(self) -> bool:
            return False

    page = fill_page(stream([1, 2, 3]), OutOfTime(), 3, lambda _: True, lambda record: record)

    assert (page.items, page.resume_after, page.partial) == (["1"], 1, True)


def test_a_budget_has_ten_pages_of_which_the_first_is_free() -> None:
    budget = PageBudget()

    assert [budget.spend() for _ in range(11)] == [True] * 9 + [False] * 2


def test_a_budget_ends_after_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    budget = PageBudget()
    assert budget.spend()
    now = 105.0

    assert not budget.spend()


class BusyStore(InMemoryEpisodeStore):
    """A store that has too much to read before it comes to the first record, until a minute has passed."""

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[tuple[Position, Episode | None]]:
        if span.asked_at - span.walk_started_at <= timedelta(seconds=60):
            raise ScanBudgetSpent
        yield from super().timeline(span, budget)


def test_a_walk_that_came_to_nothing_yet_has_a_cursor_to_go_on_with() -> None:
    clock = Clock(START)
    store = BusyStore(InMemoryIdempotencyStore())
    store.append([an_episode("acme", START)], START)
    values = LargeValues(InMemoryBodies, Tally(), clock)
    memory = EpisodicMemory(store, Subjects(InMemorySubjectStore()), values, clock)

    page, cursor = memory.query("acme", "planner", EpisodeQuery(session_id="s"), b"key")
    assert (page.items, page.partial) == ([], True)
    assert cursor
    clock.turn(seconds=61)
    page, cursor = memory.query("acme", "planner", EpisodeQuery(session_id="s", cursor=cursor), b"key")

    assert (len(page.items), page.partial, cursor) == (1, False, None)


def test_a_budget_has_ten_objects() -> None:
    budget = PageBudget()

    assert [budget.open_object() for _ in range(12)] == [True] * 10 + [False] * 2
