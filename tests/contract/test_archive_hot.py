"""What the hot tier promises to the archive, in memory and on DynamoDB."""

from datetime import timedelta

import pytest

from agent_memory.domain.archive import Key
from agent_memory.domain.episode import Episode, Position
from tests.contract.cold import Cold, key_of
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock

LATER = timedelta(days=7)


def test_records_are_read_by_their_keys_as_they_were_written(cold: Cold, tenant: str, clock: Clock) -> None:
    written = [cold.append(tenant, clock.turn(seconds=1), content={"n": number}) for number in range(120)]

    assert cold.hot.read(tenant, "planner", [key for key, _ in written]) == written
    assert cold.hot.read(tenant, "planner", [key for key, _ in written[3:5]] * 2) == written[3:5]
    assert cold.hot.read(tenant, "planner", []) == []


def test_what_is_not_there_is_left_out(cold: Cold, tenant: str, clock: Clock) -> None:
    key, episode = cold.append(tenant, clock())
    absent = [Position(episode.timestamp, "0" * 26), Position(episode.timestamp - LATER, episode.id)]

    assert cold.hot.read(tenant, "planner", [*(Key(0, each) for each in absent), key]) == [(key, episode)]
    assert cold.hot.read(tenant, "critic", [key]) == []
    assert cold.hot.read(f"{tenant}-2", "planner", [key]) == []


def test_what_is_marked_is_not_read_again_but_stays_for_readers(cold: Cold, tenant: str, clock: Clock) -> None:
    written = [cold.append(tenant, clock.turn(seconds=1)) for _ in range(30)]
    keys = [key for key, _ in written]

    for _ in range(2):
        cold.hot.evict(tenant, "planner", [(key, clock() + LATER) for key in keys[:20]])

    assert cold.hot.read(tenant, "planner", keys) == written[20:]
    assert len(Walk(cold.stores, tenant, clock).ids()) == 30


def test_marking_what_is_gone_brings_nothing_back(cold: Cold, tenant: str, clock: Clock) -> None:
    gone = an_episode(tenant, clock())

    cold.hot.evict(tenant, "planner", [(key_of(gone), clock() + LATER)])

    assert cold.hot.read(tenant, "planner", [key_of(gone)]) == []
    assert Walk(cold.stores, tenant, clock).ids() == []


@pytest.mark.parametrize(("hours", "is_archived"), [(1, False), (24 * 7, False), (24 * 7.1, True), (None, True)])
def test_what_expires_within_the_hot_window_is_never_archived(
    cold: Cold, tenant: str, clock: Clock, hours: float | None, is_archived: bool
) -> None:
    key, episode = cold.append(tenant, clock(), ttl_hours=hours)

    read = cold.hot.read(tenant, "planner", [key])

    assert read == ([(key, episode)] if is_archived else [])


def test_an_episode_keeps_its_first_mark(cold: Cold, tenant: str, clock: Clock) -> None:
    """Its time of eviction says whether an object holds it, so nothing may change that."""
    key, episode = cold.append(tenant, clock(), ttl_hours=1)

    cold.hot.evict(tenant, "planner", [(key, clock() + LATER)])

    assert isinstance(episode, Episode)
    assert cold.hot.read(tenant, "planner", [key]) == []
