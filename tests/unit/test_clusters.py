"""Which episodes become an object together."""

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain import clusters
from agent_memory.domain.archive import FULL_BYTES
from agent_memory.domain.archived_episode import episodes_in, line
from agent_memory.domain.clusters import pack, size_of
from agent_memory.domain.episode import Episode
from tests.contract.walks import an_episode

START = datetime(2026, 11, 29, 12, tzinfo=UTC)


def burst(start: datetime, count: int, size: int = 0, seconds: float = 1) -> list[Episode]:
    """Episodes that cannot be compressed, when they have a size."""
    return [
        an_episode("acme", START, timestamp=start + number * timedelta(seconds=seconds), content=noise(size))
        for number in range(count)
    ]


def noise(size: int) -> str:
    return os.urandom(size // 2).hex()


def ids(episodes: Any) -> list[str]:
    return [each.id for each in episodes]


# Pauses from none to months, around the ends of years too; sizes such that few of them make an object.
EPISODES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 3599.0, 3600.0, 3601.0, 86_400.0, 2_700_000.0]),
        st.sampled_from([0, 300, 900, 5000]),
    ),
    max_size=40,
)


@given(EPISODES, st.booleans(), st.randoms(use_true_random=False))
def test_nothing_is_lost_doubled_out_of_order_or_across_months(
    drawn: list[tuple[float, int]], is_overdue: bool, rng: random.Random
) -> None:
    at, episodes = START, []
    for pause, size in drawn:
        at += timedelta(seconds=pause)
        episodes += burst(at, 1, size)
    shuffled = rng.sample(episodes, len(episodes))
    with pytest.MonkeyPatch.context() as small:
        small.setattr(clusters, "FULL_BYTES", 1500)
        small.setattr(clusters, "_MAX_BYTES", 6000)
        packed, again = pack(episodes, is_overdue=is_overdue), pack(shuffled, is_overdue=is_overdue)

    assert again == packed, "in whatever order they are read"
    everything = [each for part in packed.packs for each in part.episodes] + list(packed.rest)
    assert sorted(ids(everything)) == sorted(ids(episodes))
    assert not (is_overdue and packed.rest)
    for part in packed.packs:
        assert list(episodes_in(part.content)) == sorted(part.episodes, key=lambda each: each.position)
        assert len({(each.timestamp.year, each.timestamp.month) for each in part.episodes}) == 1
        largest = max(size_of(each) for each in part.episodes)
        assert sum(size_of(each) for each in part.episodes) <= 6000 + largest


def test_a_burst_that_fills_an_object_gets_one_of_its_own() -> None:
    full = burst(START, 300, size=1000)
    before, after = burst(START - timedelta(hours=2), 5), burst(START + timedelta(hours=2), 5)

    packed = pack([*after, *full, *before], is_overdue=False)

    assert [ids(part.episodes) for part in packed.packs] == [ids(full)]
    assert len(packed.packs[0].content) >= FULL_BYTES
    assert ids(packed.rest) == ids([*before, *after])


def test_what_is_left_of_a_month_waits_until_it_fills_an_object() -> None:
    sessions = [burst(START - day * timedelta(days=1), 30, size=1000) for day in range(9)]
    few = [each for session in sessions[:2] for each in session]
    enough = [each for session in sessions for each in session]

    assert pack(few, is_overdue=False).packs == ()
    assert [len(part.episodes) for part in pack(enough, is_overdue=False).packs] == [270]


def test_what_is_overdue_is_written_however_little_it_is() -> None:
    november, december = burst(START, 1), burst(START + timedelta(days=3), 2)

    packed = pack([*december, *november], is_overdue=True)

    assert [ids(part.episodes) for part in packed.packs] == [ids(november), ids(december)]
    assert packed.rest == ()


def test_a_long_burst_is_cut_into_objects_of_about_the_same_size() -> None:
    episodes = burst(START, 5500, size=600, seconds=0.5)

    packed = pack(episodes, is_overdue=False)

    sizes = [sum(size_of(each) for each in part.episodes) for part in packed.packs]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) < 5000
    assert packed.rest == ()


def test_what_compresses_well_is_written_too_when_there_is_much_of_it() -> None:
    episodes = [
        an_episode("acme", START, timestamp=START + number * timedelta(seconds=1), content="again " * 5000)
        for number in range(100)
    ]

    packed = pack(episodes, is_overdue=False)

    assert len(packed.packs) == 2
    assert all(len(part.content) < FULL_BYTES for part in packed.packs)
    assert packed.rest == ()


def test_the_size_is_that_of_the_line() -> None:
    episode = an_episode("acme", START, content="שלום 🦄")

    assert size_of(episode) == len((line(episode) + "\n").encode())
