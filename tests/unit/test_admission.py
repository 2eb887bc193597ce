"""Admission: no request too many, none too few, and few calls for it."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.limits import NO_LIMITS, Limits
from agent_memory.domain.usage import Tally
from agent_memory.errors import RateLimited, StoreUnavailable
from agent_memory.service.admission import Admission
from agent_memory.service.credit import Credit
from agent_memory.service.marks import Marks
from agent_memory.service.usage import Meter, Waiting
from tests.fakes.clock import Clock
from tests.fakes.usage import InMemoryAgentRegistry, InMemoryUsageStore

NOVEMBER = "api_calls:2026-11"
TEN = Limits(requests_per_second=10)


class Function:
    """A warm function; `skew_s` is by how much its clock is ahead."""

    def __init__(self, store: InMemoryUsageStore, clock: Clock, skew_s: float = 0.0) -> None:
        def now() -> datetime:
            return clock() + timedelta(seconds=skew_s)

        self.store, self.now = store, now
        self.waiting, self.credit = Waiting(), Credit(now())
        self.admission = Admission(store, self.waiting, self.credit, self.now)
        self.meter = Meter(store, Marks(InMemoryAgentRegistry()), self.now, self.waiting, self.credit)

    def serve(self, limits: Limits = NO_LIMITS, tenant: str = "acme", dynamo_bytes: int = 0) -> bool:
        """A request as the edge has it: whether it was served."""
        try:
            self.admission.take(tenant, limits)
            served = True
        except RateLimited:
            served = False
        self.admission.give_back()
        self.meter.settle(tenant, Tally(dynamo_bytes=dynamo_bytes) if served else Tally())
        return served

    def served(self, requests: int, limits: Limits, tenant: str = "acme") -> int:
        return sum(self.serve(limits, tenant) for _ in range(requests))

    def counted(self, name: str = NOVEMBER, tenant: str = "acme") -> int:
        return self.store.get(tenant).get(name, 0)


@pytest.fixture
def store() -> InMemoryUsageStore:
    return InMemoryUsageStore()


@pytest.fixture
def function(store: InMemoryUsageStore, clock: Clock) -> Function:
    return Function(store, clock)


@pytest.fixture
def tired(function: Function) -> Function:
    """One whose credit is used up."""
    function.served(400, NO_LIMITS, "somebody else")
    return function


def test_while_there_is_time_requests_are_counted_exactly(function: Function) -> None:
    for number in range(1, 41):
        function.serve()

        assert function.counted() == number


def test_a_second_has_room_for_its_limit_and_the_next_for_as_many(function: Function, clock: Clock) -> None:
    assert [function.served(30, TEN) for _ in range(3) if clock.turn(seconds=1)] == [10, 10, 10]
    assert function.counted() == 30


def test_a_month_has_room_for_its_limit_exactly(tired: Function, clock: Clock) -> None:
    assert tired.served(500, Limits(requests_per_month=200)) == 200
    assert tired.counted() == 200
    clock.turn(days=11)
    assert tired.served(500, Limits(requests_per_month=200)) == 200


def test_a_refusal_says_what_is_used_up_and_when_to_come_again(function: Function) -> None:
    function.served(10, TEN)
    with pytest.raises(RateLimited) as second:
        function.admission.take("acme", TEN)
    with pytest.raises(RateLimited) as month:
        function.admission.take("acme", Limits(requests_per_month=10))

    assert (second.value.details, second.value.retry_after_s) == ({"limit": "requests_per_second", "allowed": 10}, 1)
    assert (month.value.details, month.value.retry_after_s) == ({"limit": "requests_per_month", "allowed": 10}, 3600)


def test_a_refusal_keeps_nothing_of_the_requests_that_met_it(function: Function) -> None:
    function.served(10, TEN)
    seen = []
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            function.admission.take("acme", TEN)
        seen.append(refused.value)

    assert len({id(each) for each in seen}) == 3, "an error that is raised again holds on to every frame that it passed"


def test_a_limit_that_is_lowered_holds_for_tokens_that_were_taken_before(tired: Function) -> None:
    tired.served(60, Limits(requests_per_month=10_000))
    assert tired.counted() > 60, "some are held"

    assert not tired.serve(Limits(requests_per_month=0))


def test_who_is_refused_costs_no_further_call_until_the_next_second(function: Function, clock: Clock) -> None:
    function.served(11, TEN)
    calls = function.store.calls

    function.served(200, TEN)

    assert function.store.calls == calls
    clock.turn(seconds=1)
    assert function.serve(TEN)


def test_a_month_that_is_used_up_is_asked_for_again_after_a_while(function: Function, clock: Clock) -> None:
    limits = Limits(requests_per_month=3)
    function.served(4, limits)
    calls = function.store.calls

    clock.turn(seconds=9)
    function.serve(limits)
    assert function.store.calls == calls
    clock.turn(seconds=2)
    function.serve(limits)
    assert function.store.calls == calls + 1


def test_a_limit_that_is_raised_holds_at_once(function: Function) -> None:
    assert function.served(20, TEN) == 10
    assert function.served(20, Limits(requests_per_second=15)) == 5


def test_a_limit_that_is_lowered_below_what_was_taken_refuses(function: Function) -> None:
    function.served(8, TEN)

    assert not function.serve(Limits(requests_per_second=5))


@pytest.mark.parametrize("limits", [Limits(requests_per_second=0), Limits(requests_per_month=0)])
def test_limits_of_nothing_refuse_everything(function: Function, limits: Limits) -> None:
    with pytest.raises(RateLimited) as refused:
        function.admission.take("acme", limits)

    assert refused.value.details == {"limit": limits.write().split('"')[1], "allowed": 0}
    assert function.store.calls <= 1


def test_tenants_do_not_take_each_others_tokens(function: Function) -> None:
    function.served(30, TEN)

    assert function.served(10, TEN, "globex") == 10
    assert function.served(50, NO_LIMITS, "initech") == 50


@pytest.mark.parametrize("limits", [NO_LIMITS, Limits(requests_per_second=200), Limits(requests_per_month=10**6)])
@pytest.mark.parametrize("rate", [10, 50, 100])
def test_steady_load_costs_a_call_for_ten_requests_at_most(
    tired: Function, clock: Clock, limits: Limits, rate: int
) -> None:
    for _ in range(5 * rate):
        clock.turn(seconds=1 / rate)
        tired.serve(limits, dynamo_bytes=100)
    calls = tired.store.calls

    served = 0
    for _ in range(40 * rate):
        clock.turn(seconds=1 / rate)
        served += tired.serve(limits, dynamo_bytes=100)

    assert served == 40 * rate
    assert (tired.store.calls - calls) / served <= 0.1 + 0.01


def test_what_waits_to_be_counted_goes_with_the_next_tokens(tired: Function) -> None:
    tired.waiting.add("acme", {"dynamo_bytes": 70})

    tired.admission.take("acme", NO_LIMITS)

    assert tired.counted("dynamo_bytes") == 70


def test_tokens_that_nobody_came_for_are_given_back(tired: Function, clock: Clock) -> None:
    served = tired.served(45, NO_LIMITS)
    assert tired.counted() > served

    clock.turn(seconds=3)
    tired.serve(tenant="globex")

    assert tired.counted() == served


def test_the_tokens_of_a_month_are_void_in_the_next(tired: Function, clock: Clock) -> None:
    tired.served(45, NO_LIMITS)
    clock.turn(days=11)

    tired.serve()

    assert tired.counted("api_calls:2026-12") >= 1
    assert tired.counted() >= 45


def test_counters_that_do_not_answer_stop_who_has_a_limit_and_nobody_else(function: Function, clock: Clock) -> None:
    function.store.is_away = True
    with pytest.raises(StoreUnavailable):
        function.admission.take("acme", TEN)
    failure = function.admission.take("globex", NO_LIMITS)
    assert function.admission.take("globex", NO_LIMITS) is None, "a store that failed is left alone"
    assert isinstance(failure, StoreUnavailable | None)

    function.store.is_away = False
    clock.turn(seconds=11)
    function.serve(tenant="globex")

    assert function.counted(tenant="globex") == 3
    assert function.counted() == 0


def test_a_clock_that_jumped_ahead_does_not_lock_the_tenant_out(store: InMemoryUsageStore, clock: Clock) -> None:
    wrong, right = Function(store, clock, skew_s=86_400), Function(store, clock)
    wrong.served(10, TEN)

    assert right.served(10, TEN) == 10


def test_a_function_that_serves_very_many_tenants_keeps_the_latest(function: Function) -> None:
    for number in range(1200):
        function.serve(tenant=f"t{number}")

    assert len(function.admission._leases) <= 1000


@given(
    limit=st.integers(1, 25),
    skews=st.lists(st.floats(0, 4, allow_nan=False), min_size=1, max_size=5),
    asked=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 0.7), st.integers(1, 40)), max_size=40),
)
def test_functions_together_serve_no_more_than_the_limits(
    limit: int, skews: list[float], asked: list[tuple[int, float, int]]
) -> None:
    """A window that a clock opened too early is still one of those which the seconds passed make room for."""
    clock, store = Clock(), InMemoryUsageStore()
    functions = [Function(store, clock, skew) for skew in skews]
    limits = Limits(requests_per_second=limit, requests_per_month=60)
    served, started = 0, clock()
    for who, passed, requests in asked:
        clock.turn(seconds=passed)
        served += functions[who % len(functions)].served(requests, limits)

    windows = int((clock() - started).total_seconds() + max(skews)) + 2
    assert served <= min(60, windows * limit)
    assert store.get("acme").get(NOVEMBER, 0) >= served


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 90)), min_size=1, max_size=30), st.integers(1, 300))
def test_functions_together_serve_the_month_to_its_last_request(asked: list[tuple[int, int]], limit: int) -> None:
    clock, store = Clock(), InMemoryUsageStore()
    functions = [Function(store, clock) for _ in range(4)]
    limits = Limits(requests_per_month=limit)
    served: Counter[int] = Counter()
    for who, requests in asked:
        served[who] += functions[who].served(requests, limits)
    for _ in range(2):  # what one holds and nobody asks it for goes back after a while
        for who, function in enumerate(functions):
            clock.turn(seconds=11)
            function.serve(tenant="somebody else")
            served[who] += function.served(limit, limits)

    assert served.total() == limit == store.get("acme")[NOVEMBER]
