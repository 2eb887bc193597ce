"""A walk covers exactly the episodes that were acknowledged before it began, whoever writes meanwhile."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from agent_memory.domain.buckets import GROWTH_DELAY
from tests.contract.conftest import Stores
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock

SESSIONS = [f"s{number}" for number in range(6)]


@contextmanager
def four_writers(stores: Stores, tenant: str, clock: Clock) -> Iterator[None]:
    """Functions that append, half of it with times of long ago, until the block ends."""
    done = threading.Event()

    def write(writer: int) -> None:
        function = stores.another()
        for number in range(1, 15):  # an end, or else a walk towards the newest might never come to one
            if done.is_set():
                return
            age = timedelta(minutes=number % 2 * (writer + 1) * number)
            session = SESSIONS[number % len(SESSIONS)]
            now = clock()
            episode = an_episode(tenant, now, session_id=session, user_id="ana", timestamp=now - age, content="late")
            function.episodes.append([episode], now)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def before_the_walk(stores: Stores, tenant: str, clock: Clock) -> set[str]:
    now = clock()
    episodes = [
        an_episode(tenant, now, session_id=session, user_id="ana", timestamp=now - timedelta(minutes=7 * number))
        for number in range(5)
        for session in SESSIONS
    ]
    assert stores.episodes.append(episodes, now) == [None] * len(episodes)
    return {episode.id for episode in episodes}


def spread(stores: Stores, tenant: str, clock: Clock, count: int) -> None:
    old = stores.another().buckets.get(tenant, "planner")
    assert stores.another().buckets.grow(tenant, "planner", old, old.grown(count, clock()))


@pytest.mark.parametrize("buckets", [1, 8])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("by", [{}, {"user_id": "ana"}], ids=["agent", "user"])
def test_a_walk_covers_each_acknowledged_episode_exactly_once(
    stores: Stores, tenant: str, clock: Clock, buckets: int, order: str, by: dict[str, str]
) -> None:
    if buckets > 1:
        spread(stores, tenant, clock, buckets)
        clock.now += GROWTH_DELAY
    acknowledged = before_the_walk(stores, tenant, clock)

    with four_writers(stores, tenant, clock):
        found = Counter(Walk(stores.another(), tenant, clock).ids(limit=10, order=order, **by))

    assert {each: found[each] for each in acknowledged} == dict.fromkeys(acknowledged, 1)
    assert set(found.values()) == {1}


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_agent_may_be_spread_in_the_middle_of_a_walk(stores: Stores, tenant: str, clock: Clock, order: str) -> None:
    acknowledged = before_the_walk(stores, tenant, clock)
    pages = Walk(stores.another(), tenant, clock).each_page(limit=10, order=order)
    found = Counter(next(pages).ids)

    spread(stores, tenant, clock, 8)
    clock.now += GROWTH_DELAY
    with four_writers(stores, tenant, clock):
        for page in pages:
            found.update(page.ids)

    assert {each: found[each] for each in acknowledged} == dict.fromkeys(acknowledged, 1)
    assert set(found.values()) == {1}


def test_sessions_are_found_in_every_bucket_they_ever_had(stores: Stores, tenant: str, clock: Clock) -> None:
    acknowledged = before_the_walk(stores, tenant, clock)
    for count in (3, 8):
        spread(stores, tenant, clock, count)
        clock.now += GROWTH_DELAY
        acknowledged |= before_the_walk(stores.another(), tenant, clock)

    walk = Walk(stores.another(), tenant, clock)
    assert set(walk.ids(limit=500)) == acknowledged
    assert {each for session in SESSIONS for each in walk.ids(session_id=session)} == acknowledged
