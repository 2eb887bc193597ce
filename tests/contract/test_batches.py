"""Batches: each item has an answer of its own, and a repeated batch writes nothing twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.buckets import GROWTH_DELAY
from agent_memory.domain.episode import Episode
from agent_memory.domain.idempotency import LEASE, AlreadyAnswered, Attempt, begin
from agent_memory.errors import AgentMemoryError, Conflict, InvalidRequest, PayloadTooLarge, StoreUnavailable
from agent_memory.service.episode_batch import EpisodeBatches, Outcome
from tests.contract.conftest import Stores
from tests.contract.walks import Walk
from tests.fakes.clock import Clock

ITEM: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 0}


class Killed(BaseException):
    """The function is gone: nothing after this line runs."""


@dataclass
class Failing:
    """An episode store that writes the first episodes and then fails or dies."""

    stores: Stores
    writes: int
    how: type[BaseException]

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:
        done = self.stores.episodes.append(episodes[: self.writes], now)
        if issubclass(self.how, StoreUnavailable):
            return done + [self.how("no answer") for _ in episodes[self.writes :]]
        raise self.how

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stores.episodes, name)


def items(count: int, **fields: Any) -> list[Any]:
    return [ITEM | {"content": number} | fields for number in range(count)]


def send(batches: EpisodeBatches, tenant: str, batch: list[Any], clock: Clock, key: str | None = "k") -> list[Outcome]:
    record = begin(tenant, "POST batch", key, repr(batch).encode(), clock()) if key else None
    return batches.append(tenant, batch, Attempt(record), lambda outcomes: {"count": len(outcomes)}, b"key")


def interrupted(stores: Stores, writes: int, how: type[BaseException], clock: Clock) -> EpisodeBatches:
    batches = stores.batches(clock)
    batches._store = Failing(stores, writes, how)
    return batches


@pytest.mark.parametrize("key", [None, "k"])
def test_items_of_one_time_stay_in_the_order_of_the_batch(
    stores: Stores, tenant: str, clock: Clock, key: str | None
) -> None:
    outcomes = send(stores.batches(clock), tenant, items(100), clock, key)

    read = [each["content"] for page in Walk(stores, tenant, clock).pages(order="oldest") for each in page.episodes]
    assert read == [each.content for each in outcomes if isinstance(each, Episode)] == list(range(100))


def test_each_item_is_judged_by_itself(stores: Stores, tenant: str, clock: Clock) -> None:
    bob, ana = {"session_id": "t", "user_id": "bob"}, {"session_id": "t", "user_id": "ana"}
    batch = [ITEM, None, ITEM | {"type": "dream"}, ITEM | ana, ITEM | bob, ITEM | {"ttl_hours": 0}, ITEM]

    outcomes = send(stores.batches(clock), tenant, batch, clock, None)

    kinds = [Episode, InvalidRequest, InvalidRequest, Episode, Conflict, InvalidRequest, Episode]
    assert [type(outcome) for outcome in outcomes] == kinds
    assert len(Walk(stores, tenant, clock).ids()) == 3


@pytest.mark.parametrize("writes", [0, 1, 37])
@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=30)])
def test_a_batch_that_died_half_way_is_finished_by_its_repetition(
    stores: Stores, tenant: str, clock: Clock, writes: int, age: timedelta
) -> None:
    batch = items(40, timestamp=clock() - age, user_id="ana")
    with pytest.raises(Killed):
        send(interrupted(stores, writes, Killed, clock), tenant, batch, clock)

    with pytest.raises(AlreadyAnswered):
        send(stores.batches(clock), tenant, batch, clock)  # as far as anybody knows it is running
    clock.now += LEASE
    outcomes = send(stores.another().batches(clock), tenant, batch, clock)

    for by in ({}, {"session_id": "s"}, {"user_id": "ana"}):
        pages = Walk(stores.another(), tenant, clock).pages(order="oldest", **by)
        assert [each["content"] for page in pages for each in page.episodes] == list(range(40))
    assert [each.content for each in outcomes if isinstance(each, Episode)] == list(range(40))


def test_an_agent_spread_between_two_attempts_has_no_episode_twice(stores: Stores, tenant: str, clock: Clock) -> None:
    batch = [item for n in range(6) for item in items(2, session_id=f"s{n}")]
    with pytest.raises(Killed):
        send(interrupted(stores, 8, Killed, clock), tenant, batch, clock)
    control = stores.another().buckets
    control.grow(tenant, "planner", control.get(tenant, "planner"), control.get(tenant, "planner").grown(8, clock()))
    clock.now += max(LEASE, GROWTH_DELAY)

    send(stores.another().batches(clock), tenant, batch, clock)

    found = Walk(stores.another(), tenant, clock).ids()
    assert len(found) == len(set(found)) == 12


def test_a_batch_that_was_written_in_part_says_so_and_can_be_sent_again_at_once(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    first = send(interrupted(stores, 3, StoreUnavailable, clock), tenant, items(5), clock)
    second = send(stores.batches(clock), tenant, items(5), clock)

    assert [type(each) for each in first] == [Episode] * 3 + [StoreUnavailable] * 2
    assert first[:3] == second[:3]
    assert len(Walk(stores, tenant, clock).ids()) == 5
    with pytest.raises(AlreadyAnswered):
        send(stores.batches(clock), tenant, items(5), clock)


def test_a_batch_of_which_nothing_was_written_is_unavailable_and_can_be_sent_again_at_once(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    with pytest.raises(StoreUnavailable):
        send(interrupted(stores, 0, StoreUnavailable, clock), tenant, items(5), clock)

    assert len(send(stores.batches(clock), tenant, items(5), clock)) == 5


def test_an_answer_too_long_to_keep_is_made_again_from_the_same_episodes(
    stores: Stores, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(_: object) -> None:
        raise PayloadTooLarge("too long")

    monkeypatch.setattr(stores.idempotency, "finish", too_long)
    first = send(stores.batches(clock), tenant, items(3), clock)
    monkeypatch.undo()

    assert send(stores.batches(clock), tenant, items(3), clock) == first
    assert len(Walk(stores, tenant, clock).ids()) == 3
