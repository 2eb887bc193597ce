"""A walk covers each episode exactly once, whatever moves between the tiers while it is under way."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.domain.episode import Episode
from agent_memory.domain.timeline import EpisodeQuery
from agent_memory.errors import StoreUnavailable
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.subjects import Subjects
from tests.contract.cold import Cold, cold_in_memory, cold_on_aws
from tests.contract.moving import MovingTiers
from tests.contract.walks import an_episode
from tests.fakes.clock import Clock
from tests.fakes.control import InMemorySubjectStore
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CLOCK = Clock()
FILTERS: list[dict[str, Any]] = [
    {},
    {"session_id": "s1"},
    {"user_id": "ana"},
    {"run_id": "r"},
    {"type": "observation"},
    {"metadata": {"k": "v"}},
    {"from": CLOCK() - timedelta(days=20), "to": CLOCK() - timedelta(days=4)},
    {"session_id": "s0", "type": "action", "from": CLOCK() - timedelta(days=12)},
]


def some_episodes(chance: random.Random, count: int) -> list[Episode]:
    """Written long ago, some of them at the same moment; a few are of other agents with the same names."""
    return [
        an_episode(
            "acme",
            CLOCK() - timedelta(days=60),
            agent_id="planner" if chance.random() < 0.9 else "critic",
            session_id=f"s{chance.randrange(3)}",
            type=chance.choice(["action", "observation"]),
            user_id=chance.choice(["ana", "bob", None]),
            run_id=chance.choice(["r", "q", None]),
            metadata=chance.choice([{"k": "v"}, {"k": "w"}]),
            timestamp=CLOCK() - timedelta(hours=chance.randrange(0, 24 * 30)),
        )
        for _ in range(count)
    ]


def walked(memory: EpisodicMemory, moving: MovingTiers, query: dict[str, Any], limit: int) -> list[Any]:
    """A caller's walk: whoever is told that a store is away asks for the same page again."""
    items: list[Any] = []
    cursor = None
    for _ in range(2000):
        moving.move()
        asked = EpisodeQuery(**query, limit=limit, cursor=cursor)
        try:
            page, cursor = memory.query("acme", "planner", asked, b"key")
        except StoreUnavailable:
            continue
        items += page.items
        if cursor is None:
            return items
    pytest.fail("the walk does not end")


@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 3, 40, 150]),
    query=st.sampled_from(FILTERS),
    order=st.sampled_from(["newest", "oldest"]),
    limit=st.sampled_from([1, 7, 25, 60]),
    liveliness=st.sampled_from([0.05, 0.3, 0.8]),
)
@settings(max_examples=300, deadline=None)
def test_each_episode_is_seen_once(
    seed: int, count: int, query: dict[str, Any], order: str, limit: int, liveliness: float
) -> None:
    moving = tiers_that_move(cold_in_memory(), seed, count, liveliness)

    assert_seen_once(moving, query, order, limit)


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("query", FILTERS[:3])
def test_each_episode_is_seen_once_on_aws(aws: Aws, s3: "S3Client", query: dict[str, Any], order: str) -> None:
    moving = tiers_that_move(cold_on_aws(aws, s3), seed=7, count=80, liveliness=0.2)

    assert_seen_once(moving, query, order, limit=20)


def tiers_that_move(cold: Cold, seed: int, count: int, liveliness: float) -> MovingTiers:
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    episodes = some_episodes(chance, count)
    cold.stores.episodes.append(episodes, CLOCK())
    own = [each for each in episodes if each.agent_id == "planner"]
    return MovingTiers(cold, chance, liveliness, own, CLOCK())


def assert_seen_once(moving: MovingTiers, query: dict[str, Any], order: str, limit: int) -> None:
    asked, values = EpisodeQuery(**query), moving.cold_tier.stores.values(CLOCK)
    memory = EpisodicMemory(moving.both(), Subjects(InMemorySubjectStore()), values, CLOCK)
    expected = [each for each in moving.acknowledged if asked.matches(each, CLOCK()) and within(each, asked)]
    expected.sort(key=lambda each: each.position, reverse=order == "newest")

    found = walked(memory, moving, query | {"order": order}, limit)

    assert [item[7:33] for item in found] == [each.id for each in expected]


def within(episode: Episode, asked: EpisodeQuery) -> bool:
    return (asked.start is None or asked.start <= episode.timestamp) and (
        asked.end is None or episode.timestamp <= asked.end
    )
