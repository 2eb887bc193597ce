"""Counting work: all of it counts once, few calls are made for it, and a store that fails loses nothing."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent_memory.domain.limits import NO_LIMITS
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service.marks import Marks
from agent_memory.service.usage import Meter, Usage
from tests.fakes.clock import Clock
from tests.fakes.usage import InMemoryAgentRegistry, InMemoryUsageStore

NOVEMBER = "embeddings:2026-11"


class Function:
    """A warm function that counts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.store, self.registry = InMemoryUsageStore(), InMemoryAgentRegistry()
        self.meter = Meter(self.store, Marks(self.registry), clock)

    def serve(self, tenant: str = "acme", **did: Any) -> None:
        """A request, which embeds one text unless told otherwise."""
        self.meter.settle(tenant, Tally(**{"embeddings": 1} | did))

    def store_in(self, *sessions: str, agent: str = "planner", tenant: str = "acme") -> None:
        tally = Tally(embeddings=1)
        for session in sessions:
            tally.stored(agent, session)
        self.meter.settle(tenant, tally)

    def counted(self, name: str = NOVEMBER, tenant: str = "acme") -> int:
        return self.store.get(tenant).get(name, 0)


@pytest.fixture
def function(clock: Clock) -> Function:
    return Function(clock)


@pytest.fixture
def tired(function: Function) -> Function:
    """One whose credit is used up."""
    while function.store.calls == function.counted():
        function.serve()
    return function


def test_the_first_forty_requests_are_counted_one_by_one(function: Function) -> None:
    for number in range(1, 41):
        function.serve()

        assert function.counted() == number


def test_under_load_a_call_carries_twenty_requests(tired: Function) -> None:
    calls, counted = tired.store.calls, tired.counted()

    for _ in range(400):
        tired.serve()

    assert tired.store.calls - calls == 20
    assert 380 < tired.counted() - counted <= 400


def test_at_ten_requests_a_second_there_is_a_call_for_ten_of_them(tired: Function) -> None:
    calls = tired.store.calls

    for _ in range(600):
        tired.clock.turn(seconds=0.1)
        tired.serve()

    assert tired.store.calls - calls <= 61


def test_a_function_that_rested_counts_one_by_one_again(tired: Function) -> None:
    tired.clock.turn(minutes=1)

    for _ in range(20):
        counted = tired.counted()
        tired.serve()
        assert tired.counted() > counted


def test_a_clock_that_is_set_back_takes_no_credit_away(function: Function) -> None:
    function.clock.turn(hours=-1)

    function.serve()

    assert function.counted() == 1


def test_what_a_request_did_is_counted_with_it(function: Function) -> None:
    function.serve(embeddings=3, dynamo_bytes=100, s3_bytes=7)
    function.serve(embeddings=0, dynamo_bytes=-40, sessions=-2, agents=-1)

    assert dict(function.store.get("acme")) == {
        NOVEMBER: 3,
        "dynamo_bytes": 60,
        "s3_bytes": 7,
        "sessions": -2,
        "agents": -1,
    }


def test_a_failing_store_is_left_alone_for_a_while_and_then_told_everything(function: Function) -> None:
    function.store.is_away = True
    with pytest.raises(StoreUnavailable):
        function.serve(dynamo_bytes=5)
    for _ in range(50):
        function.serve(dynamo_bytes=5)

    assert function.store.calls == 1
    function.store.is_away = False
    function.clock.turn(seconds=10)
    function.serve(dynamo_bytes=5)

    assert (function.counted(), function.counted("dynamo_bytes")) == (52, 260)


def test_each_tenant_has_its_own_counters(function: Function) -> None:
    for tenant in ("acme", "globex", "acme"):
        function.serve(tenant)

    assert (function.counted(), function.counted(tenant="globex")) == (2, 1)


def test_the_tenant_that_waits_longest_is_served_first_and_no_failure_blocks_the_others(tired: Function) -> None:
    tired.serve("globex")
    tired.serve("initech")
    tired.store.is_away = True
    tired.clock.turn(minutes=1)
    with pytest.raises(StoreUnavailable):
        tired.serve()
    tired.store.is_away = False
    tired.clock.turn(minutes=1)

    tired.serve()

    assert [tired.counted(tenant=tenant) for tenant in ("globex", "initech")] == [1, 1]


def test_a_request_counts_for_its_own_month_however_late_it_is_passed_on(function: Function) -> None:
    function.clock.now = function.clock.now.replace(day=30, hour=23, minute=59, second=59, microsecond=999_999)
    function.store.is_away = True
    with pytest.raises(StoreUnavailable):
        function.serve(embeddings=2)
    function.store.is_away = False
    function.clock.turn(minutes=1)

    function.serve(embeddings=1)

    assert (function.counted(), function.counted("embeddings:2026-12")) == (2, 1)


def test_what_was_reserved_is_not_counted_again_and_what_was_not_needed_is_given_back(function: Function) -> None:
    function.serve(embeddings=3, reserved={"embeddings": 5, "vectors": 2}, vectors=2)

    assert dict(function.store.get("acme")) == {NOVEMBER: -2}


def test_a_request_that_did_nothing_costs_no_call(function: Function) -> None:
    function.serve(embeddings=0)

    assert function.store.calls == 0


def test_usage_is_of_the_month_of_the_question(function: Function) -> None:
    usage = Usage(function.store, function.clock)
    function.serve(embeddings=2, dynamo_bytes=9)
    function.clock.turn(days=11)
    function.serve()

    december = usage.of("acme", NO_LIMITS)

    assert (december.billing_period, december.embeddings_generated_month) == ("2026-12", 1)
    assert december.storage.dynamo_bytes == 9


def test_what_lost_counts_left_below_nothing_is_nothing(function: Function) -> None:
    function.serve(dynamo_bytes=-9, agents=-1)

    seen = Usage(function.store, function.clock).of("acme", NO_LIMITS)

    assert (seen.storage.dynamo_bytes, seen.agents_count) == (0, 0)


def test_agents_and_sessions_are_counted_once(function: Function) -> None:
    for _ in range(3):
        function.store_in("a", "b")
    function.store_in("a", agent="critic")

    assert (function.counted("agents"), function.counted("sessions")) == (2, 3)
    assert function.registry.calls == 5, "what is known is not marked again"


def test_what_another_function_has_marked_is_not_counted_again(function: Function) -> None:
    function.registry.mark("acme", "planner", None)
    function.registry.mark("acme", "planner", "a")

    function.store_in("a")

    assert (function.counted("agents"), function.counted("sessions")) == (0, 0)


def test_marks_that_a_purge_took_away_are_made_again_within_minutes(function: Function) -> None:
    function.store_in("a")
    assert len(list(function.registry.purge("acme", "planner"))) == 2
    function.store_in("a")
    assert function.registry.agents("acme", 1) == []

    function.clock.turn(minutes=6)
    function.store_in("a")

    assert function.registry.agents("acme", 1) == ["planner"]


def test_marks_that_could_not_be_made_are_made_later(function: Function) -> None:
    function.registry.is_away = True
    with pytest.raises(StoreUnavailable):
        function.store_in("a", "b")
    function.registry.is_away = False
    function.clock.turn(seconds=10)

    function.serve()

    assert (function.counted("agents"), function.counted("sessions"), function.counted()) == (1, 2, 2)


def test_a_batch_of_many_sessions_is_marked_over_several_requests_its_agent_first(function: Function) -> None:
    function.store_in(*(f"s{number}" for number in range(60)))
    at_first = function.registry.calls
    assert function.registry.agents("acme", 1) == ["planner"]

    for _ in range(3):
        function.serve()

    assert at_first == 25
    assert function.counted("sessions") == 60


def test_a_function_that_serves_very_many_sessions_remembers_the_latest(function: Function) -> None:
    for number in range(6000):
        function.store_in(f"s{number}")
    calls = function.registry.calls

    function.store_in("s5999")
    assert function.registry.calls == calls
    function.store_in("s0")

    assert function.registry.calls > calls
    assert len(function.meter._marks._made) <= 5000


def test_what_was_freed_is_taken_off_once_though_the_answer_was_lost(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    function.serve(dynamo_bytes=100)
    add = function.store.add

    def lost(tenant: str, counts: Mapping[str, int]) -> None:
        add(tenant, counts)
        raise StoreUnavailable("its answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(function.store, "add", lost)
        with pytest.raises(StoreUnavailable):
            function.serve(dynamo_bytes=-40)
    function.clock.turn(seconds=20)
    function.serve()

    assert function.counted("dynamo_bytes") == 60
