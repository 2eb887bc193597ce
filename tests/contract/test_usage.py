"""What counters and marks promise, and what the stores tell of bytes: in memory and on DynamoDB."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, Attempt, IdempotencyRecord, begin
from agent_memory.domain.limits import NO_LIMITS
from agent_memory.domain.state import NewState, State, StateChange, StateKey, VersionMismatch
from agent_memory.domain.usage import Tally
from agent_memory.service.marks import Marks
from agent_memory.service.usage import Meter, Usage
from tests.contract.conftest import Stores
from tests.contract.walks import an_episode
from tests.fakes.clock import Clock

LOOK_ALIKES = ["a", "a#b", "a#0", "a%23b", "AGENTS", "SESSION", "x" * 256, "#" * 256]


@pytest.fixture
def key(tenant: str) -> StateKey:
    return StateKey(tenant, "planner", "default")


def a_state(key: StateKey, clock: Clock, version: int = 1, size: int = 1) -> State:
    data = {"noise": [number * 7919 for number in range(size)]}
    return State(key, data, version, clock(), clock(), None, {})


def an_answer(tenant: str, clock: Clock, key: str) -> IdempotencyRecord:
    return begin(tenant, "POST /v1/state", key, b"{}", clock()).answered(201, "{}")


def test_counters_add_up_and_may_go_down(stores: Stores, tenant: str) -> None:
    assert dict(stores.usage.get(tenant)) == {}

    stores.usage.add(tenant, {"api_calls:2026-11": 2, "dynamo_bytes": 500})
    stores.usage.add(tenant, {"api_calls:2026-11": 1, "dynamo_bytes": -200, "agents": 1})

    assert dict(stores.usage.get(tenant)) == {"api_calls:2026-11": 3, "dynamo_bytes": 300, "agents": 1}
    assert dict(stores.usage.get(f"{tenant}-2")) == {}


def test_functions_that_count_at_the_same_time_lose_nothing(stores: Stores, tenant: str, clock: Clock) -> None:
    functions = [stores.another() for _ in range(8)]

    def serve(function: Stores) -> None:
        meter = Meter(function.usage, Marks(function.registry), clock)
        for number in range(20):
            tally = Tally(dynamo_bytes=10)
            tally.stored("planner", f"s{number}")
            meter.settle(tenant, tally)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(serve, functions))

    seen = Usage(stores.usage, clock).of(tenant, NO_LIMITS)
    assert seen.storage.dynamo_bytes == 1600
    assert (seen.agents_count, seen.sessions_count) == (1, 20)


def test_a_mark_is_new_once(stores: Stores, tenant: str) -> None:
    for mark in ((tenant, "planner", None), (tenant, "planner", "s"), (f"{tenant}-2", "planner", None)):
        assert stores.registry.mark(*mark)
        assert not stores.another().registry.mark(*mark)


def test_agents_are_listed_by_their_ids_and_apart_from_other_tenants(stores: Stores, tenant: str) -> None:
    for agent in LOOK_ALIKES:
        for session in (None, "s", *LOOK_ALIKES):
            assert stores.registry.mark(tenant, agent, session)
    stores.registry.mark(f"{tenant}-2", "other", None)

    assert sorted(stores.registry.agents(tenant, 100)) == sorted(LOOK_ALIKES)
    assert len(stores.registry.agents(tenant, 3)) == 3
    assert stores.registry.agents(tenant, 3) == stores.another().registry.agents(tenant, 3)


def test_purging_marks_of_one_agent_leaves_the_others(stores: Stores, tenant: str) -> None:
    for agent in LOOK_ALIKES:
        for session in (None, *LOOK_ALIKES):
            stores.registry.mark(tenant, agent, session)

    removed: Counter[str] = Counter()
    for part in stores.marks.purge(tenant, "a"):
        removed.update(part.counts)

    assert removed == {"sessions": len(LOOK_ALIKES), "agents": 1}
    assert sorted(stores.registry.agents(tenant, 100)) == sorted(set(LOOK_ALIKES) - {"a"})
    assert not stores.registry.mark(tenant, "a#b", "a")
    assert list(stores.marks.purge(tenant, "a")) == []


@pytest.mark.parametrize("keyed", [False, True])
def test_what_a_session_stored_and_freed_adds_up_to_nothing(
    stores: Stores, key: StateKey, clock: Clock, keyed: bool
) -> None:
    def answer(name: str) -> IdempotencyRecord | None:
        return an_answer(key.tenant_id, clock, name) if keyed else None

    stores.state.put(a_state(key, clock), answer("first"))
    small = stores.tally.dynamo_bytes
    stores.state.get(key, clock())
    stores.state.put(a_state(key, clock, 2, size=500), answer("second"))
    large = stores.tally.dynamo_bytes
    stores.state.get(key, clock())
    stores.state.put(a_state(key, clock, 3), answer("third"))
    assert 0 < small == stores.tally.dynamo_bytes < large

    stores.state.delete(key, clock(), answer("fourth"))

    assert stores.tally.dynamo_bytes == 0


def test_an_update_counts_what_it_changes(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(replace(a_state(key, clock), annotations={"metadata": {"a": "b" * 200}}), None)
    before = stores.tally.dynamo_bytes
    stores.state.update(StateChange(key, {"noise": list(range(300))}, 2, clock(), clock() + timedelta(hours=1), {}))
    after = stores.tally.dynamo_bytes

    stores.state.delete(key, clock(), None)

    assert after > before
    assert stores.tally.dynamo_bytes == 0


def test_a_record_that_takes_the_place_of_an_expired_one_takes_its_bytes(
    stores: Stores, key: StateKey, clock: Clock
) -> None:
    stores.state.put(replace(a_state(key, clock, size=500), expires_at=clock() + timedelta(hours=1)), None)
    clock.turn(hours=2)

    stores.state.put(a_state(key, clock), None)

    stores.state.delete(key, clock(), None)
    assert stores.tally.dynamo_bytes == 0


def test_what_is_refused_or_repeated_is_not_counted(stores: Stores, key: StateKey, clock: Clock) -> None:
    answer = an_answer(key.tenant_id, clock, "k")
    stores.state.put(a_state(key, clock), answer)
    episode = an_episode(key.tenant_id, clock())
    stores.episodes.append_answered(episode, clock(), an_answer(key.tenant_id, clock, "e"))
    before = stores.tally.taken()

    with pytest.raises(AlreadyAnswered):
        stores.state.put(a_state(key, clock, 2), answer)
    with pytest.raises(VersionMismatch):
        stores.state.put(a_state(key, clock, 7), None)
    with pytest.raises(AlreadyAnswered):
        stores.episodes.append_answered(episode, clock(), an_answer(key.tenant_id, clock, "e"))
    assert stores.state.delete(replace(key, session_id="none"), clock(), None) is False

    assert set(before.touched) == {("planner", "default"), ("planner", "s")}
    assert stores.tally.taken() == Tally()


def test_each_durable_episode_of_a_batch_is_counted(stores: Stores, tenant: str, clock: Clock) -> None:
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(200_000))
    sessions: list[dict[str, Any]] = [{"session_id": "a"}, {"session_id": "b"}, {"session_id": "c", "content": noise}]
    episodes = [an_episode(tenant, clock(), **fields) for fields in sessions]

    failures = stores.episodes.append(episodes, clock())

    assert [failure is None for failure in failures] == [True, True, False]
    assert list(stores.tally.touched) == [("planner", "a"), ("planner", "b")]
    assert 0 < stores.tally.dynamo_bytes < 5000


def test_a_service_that_writes_with_a_key_over_what_is_there_counts_the_difference(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    working = stores.working(clock)
    for number, size in enumerate((1, 500, 2)):
        new = NewState(agent_id="planner", data={"noise": [each * 7919 for each in range(size)]})
        attempt = Attempt(begin(tenant, "POST /v1/state", f"k{number}", b"{}", clock()))
        working.create(tenant, new, attempt, b"key")

    assert sum(part.dynamo_bytes for part in stores.records.purge(tenant, "planner")) == stores.tally.dynamo_bytes > 0
