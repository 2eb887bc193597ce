"""Reservations: work is counted before it is done, exactly while there is time, and never more than is allowed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.limits import NO_LIMITS, Limits
from agent_memory.domain.usage import Tally
from agent_memory.errors import RateLimited, StoreUnavailable
from agent_memory.service.credit import Credit
from agent_memory.service.marks import Marks
from agent_memory.service.reservations import Reservations
from agent_memory.service.usage import Meter, Waiting
from tests.fakes.clock import Clock
from tests.fakes.usage import InMemoryAgentRegistry, InMemoryUsageStore

NOVEMBER = "embeddings:2026-11"


class Function:
    """A warm function that works as its requests say."""

    def __init__(self, store: InMemoryUsageStore, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.waiting, self.credit = Waiting(), Credit(clock())
        self.reservations = Reservations(store, self.waiting, self.credit, clock)
        self.meter = Meter(store, Marks(InMemoryAgentRegistry()), clock, self.waiting, self.credit)

    def embed(self, texts: int, limits: Limits, tenant: str = "acme", *, fails: int = 0) -> int:
        """Texts that were embedded; `fails` were not, though they were asked for."""
        tally = self.begin(limits, tenant)
        try:
            tally.need("embeddings", texts)
            tally.embeddings += texts - fails
        except RateLimited:
            pass
        return self.end(tally, tenant).embeddings

    def keep(self, size: int, limits: Limits, instead_of: int = 0) -> int:
        """How much more is stored: a record is written over another one."""
        tally = self.begin(limits)
        try:
            tally.need("dynamo_bytes", size)
            tally.dynamo_bytes += size - instead_of
        except RateLimited:
            pass
        return self.end(tally).dynamo_bytes

    def free(self, size: int, limits: Limits) -> None:
        tally = self.begin(limits)
        tally.dynamo_bytes -= size
        self.end(tally)

    def begin(self, limits: Limits, tenant: str = "acme") -> Tally:
        tally = Tally()
        tally.begin(self.reservations.quota(tenant, limits), self.clock())
        return tally

    def end(self, tally: Tally, tenant: str = "acme") -> Tally:
        done = tally.taken()
        self.reservations.settle(tenant, done)
        self.meter.settle(tenant, done)
        return done

    def tire(self) -> None:
        """Use its credit up."""
        for _ in range(60):
            self.credit.spend()

    def counted(self, name: str = NOVEMBER) -> int:
        return self.store.get("acme").get(name, 0)


@pytest.fixture
def function(clock: Clock) -> Function:
    return Function(InMemoryUsageStore(), clock)


def test_without_a_limit_nothing_is_reserved_and_all_is_counted(function: Function) -> None:
    assert function.embed(3, NO_LIMITS) == 3
    assert function.counted() == 3
    assert function.store.calls == 1


def test_a_month_has_room_for_its_limit_exactly(function: Function, clock: Clock) -> None:
    limits = Limits(embeddings_per_month=10)

    assert [function.embed(3, limits) for _ in range(4)] == [3, 3, 3, 0]
    assert function.embed(1, limits) == 1
    assert function.counted() == 10
    clock.turn(days=11)
    assert function.embed(3, limits) == 3


def test_while_there_is_time_what_was_not_needed_is_given_back_at_once(function: Function) -> None:
    limits = Limits(embeddings_per_month=10)

    assert function.embed(8, limits, fails=5) == 3

    assert function.counted() == 3
    assert function.embed(7, limits) == 7


def test_a_record_over_another_one_needs_room_for_itself_and_gives_back_the_others(function: Function) -> None:
    limits = Limits(stored_bytes=1000)
    function.keep(600, limits)
    assert function.keep(600, limits, instead_of=600) == 0, "there is no room for both"
    function.free(600, limits)

    function.keep(600, limits)
    function.keep(300, limits)
    function.keep(100, limits, instead_of=300)

    assert function.counted("dynamo_bytes") == 700


def test_what_is_freed_makes_room_at_once(function: Function) -> None:
    limits = Limits(stored_bytes=1000)
    assert function.keep(1000, limits) == 1000
    assert function.keep(1, limits) == 0
    function.free(500, limits)

    assert function.keep(500, limits) == 500


def test_what_is_freed_and_not_passed_on_yet_makes_room_in_this_function(function: Function) -> None:
    limits = Limits(stored_bytes=1000)
    function.keep(1000, limits)
    function.tire()
    function.free(400, limits)
    assert function.counted("dynamo_bytes") == 1000

    assert function.keep(400, limits) == 400
    assert function.counted("dynamo_bytes") == 1000


def test_a_request_may_ask_again_for_what_it_has(function: Function) -> None:
    """As a write does that lost to another one and tries once more."""
    tally = function.begin(Limits(stored_bytes=100))

    for size in (60, 80, 70):
        tally.need("dynamo_bytes", size)
    tally.dynamo_bytes += 70
    function.end(tally)

    assert function.counted("dynamo_bytes") == 70


def test_a_refusal_says_which_limit_it_was(function: Function) -> None:
    tally = function.begin(Limits(stored_bytes=100, vectors=5, embeddings_per_month=7))
    refusals = {}
    for work in ("dynamo_bytes", "vectors", "embeddings"):
        with pytest.raises(RateLimited) as refused:
            tally.need(work, 101)
        refusals[work] = refused.value

    assert [each.details for each in refusals.values()] == [
        {"limit": "stored_bytes", "allowed": 100},
        {"limit": "vectors", "allowed": 5},
        {"limit": "embeddings_per_month", "allowed": 7},
    ]
    assert [each.retry_after_s for each in refusals.values()] == [60, 60, 3600]
    assert function.store.get("acme") == {}


def test_who_is_refused_costs_no_further_call_within_a_second(function: Function, clock: Clock) -> None:
    limits = Limits(embeddings_per_month=10)
    function.embed(11, limits)
    calls = function.store.calls

    function.embed(11, limits)
    assert function.store.calls == calls
    assert function.embed(10, limits) == 10, "less than what was refused may fit"
    clock.turn(seconds=1)
    function.embed(11, limits)
    assert function.store.calls > calls + 1


def test_under_load_one_call_reserves_for_many(function: Function, clock: Clock) -> None:
    limits = Limits(embeddings_per_month=10**6, stored_bytes=10**9)
    function.tire()
    for _ in range(100):
        clock.turn(seconds=0.02)
        function.keep(1000, limits)
    calls = function.store.calls

    for _ in range(1000):
        clock.turn(seconds=0.02)
        function.keep(1000, limits)

    assert function.store.calls - calls <= 110
    clock.turn(seconds=30)
    function.keep(1000, limits)
    assert function.counted("dynamo_bytes") == 1_101_000


def test_what_was_reserved_ahead_is_given_back_by_a_request_of_anybody(function: Function, clock: Clock) -> None:
    function.tire()
    for _ in range(6):
        function.embed(1, Limits(embeddings_per_month=1000))
    assert function.counted() > 6

    clock.turn(seconds=30)
    function.embed(1, NO_LIMITS, "globex")

    assert function.counted() == 6


def test_when_nobody_knows_whether_there_is_room_nothing_is_done(function: Function) -> None:
    function.store.is_away = True

    with pytest.raises(StoreUnavailable):
        function.begin(Limits(vectors=5)).need("vectors", 1)


def test_a_limit_that_is_lowered_below_what_is_stored_leaves_deleting(function: Function) -> None:
    function.keep(800, Limits(stored_bytes=1000))
    lowered = Limits(stored_bytes=500)

    assert function.keep(1, lowered) == 0
    function.free(400, lowered)
    assert function.keep(100, lowered) == 100


def test_a_function_that_serves_very_many_tenants_keeps_the_latest(function: Function) -> None:
    for number in range(1200):
        function.embed(1, Limits(embeddings_per_month=5), f"t{number}")

    assert len(function.reservations._purses) <= 1000


@given(
    limit=st.integers(0, 200),
    asked=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(0, 10), st.booleans()), max_size=60),
)
def test_functions_together_do_no_more_than_the_limit(limit: int, asked: list[tuple[int, int, int, bool]]) -> None:
    clock, store = Clock(), InMemoryUsageStore()
    functions, limits = [Function(store, clock) for _ in range(4)], Limits(embeddings_per_month=limit)
    done: Counter[int] = Counter()
    for who, texts, failing, is_tired in asked:
        if is_tired:
            functions[who].tire()
        done[who] += functions[who].embed(texts, limits, fails=min(failing, texts))
        assert done.total() <= limit
        assert store.get("acme").get(NOVEMBER, 0) <= limit
    clock.turn(minutes=2)
    for function in functions:
        function.embed(1, NO_LIMITS, "globex")

    assert store.get("acme").get(NOVEMBER, 0) == done.total()
