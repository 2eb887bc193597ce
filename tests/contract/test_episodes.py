"""What every episode store promises, seen through the use case that reads it."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.episode import Episode, NewEpisode
from agent_memory.domain.idempotency import AlreadyAnswered, begin
from agent_memory.domain.json_document import dumps, parse
from agent_memory.errors import InvalidRequest
from tests.contract.cold import Cold
from tests.contract.conftest import Stores
from tests.contract.tiers import MovedAtOnce, Tiers
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock
from tests.unit.test_json_document import FAITHFUL

MINUTE = timedelta(minutes=1)
# The whole agent, and each index.
EVERYWHERE: list[dict[str, Any]] = [{}, {"session_id": "s"}, {"user_id": "ana"}, {"run_id": "r"}]


@pytest.fixture(params=["hot", "cold", "half"])
def stores(request: pytest.FixtureRequest, cold: Cold) -> Stores:
    """One timeline over both tiers, with everything in one of them or half in each."""
    tiers = Tiers(cold)
    every = {"hot": 1_000_000, "half": 2, "cold": 1}[request.param]
    return replace(cold.stores, episodes=MovedAtOnce(tiers, every) if every < 3 else tiers.timeline())


@pytest.fixture
def walk(stores: Stores, tenant: str, clock: Clock) -> Walk:
    return Walk(stores, tenant, clock)


def add(walk: Walk, **fields: Any) -> str:
    """Append an episode; returns its id."""
    episode = an_episode(walk.tenant, walk.clock(), **fields)
    assert walk.stores.episodes.append([episode], walk.clock()) == [None]
    return episode.id


def test_the_newest_is_read_first_right_after_the_write(walk: Walk) -> None:
    ids = []
    for _ in range(12):
        walk.clock.turn(seconds=1)
        ids.append(add(walk))

        assert walk.ids() == ids[::-1]
    assert walk.page(limit=3).ids == ids[:-4:-1]
    assert walk.ids(order="oldest") == ids


def test_an_episode_is_read_as_it_was_written(walk: Walk) -> None:
    content = '{"values":[' + ",".join(FAITHFUL) + "]}"
    fields = {"user_id": "ana", "run_id": "r", "metadata": {"k": "v"}, "purposes": ["p"], "trust": "inference"}
    written = add(walk, content=parse(content), ttl_hours=2, timestamp="2020-01-01T00:00:00.000001Z", **fields)

    (read,) = walk.page().episodes

    assert dumps(read["content"]) == content
    assert {name: read[name] for name in fields} == fields
    assert (read["id"], read["timestamp"]) == (written, "2020-01-01T00:00:00.000001Z")
    assert (read["agent_id"], read["session_id"], read["type"]) == ("planner", "s", "action")


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_old_episodes_stand_at_their_own_time(walk: Walk, order: str) -> None:
    now = walk.clock()
    ages = [0, 400, 3, 0.5, 20, 1, 0.001]
    ids = {age: add(walk, user_id="ana", run_id="r", timestamp=now - timedelta(days=age)) for age in ages}
    expected = [ids[age] for age in sorted(ages, reverse=order == "oldest")]

    for by in EVERYWHERE:
        assert walk.ids(order=order, limit=3, **by) == expected


def test_both_ends_of_a_time_range_belong_to_it(walk: Walk) -> None:
    start = walk.clock()
    ids = [add(walk, timestamp=start + number * MINUTE) for number in range(5)]
    span: dict[str, Any] = {"from": start + MINUTE, "to": start + 3 * MINUTE}

    for by in EVERYWHERE[:2]:
        assert walk.ids(order="oldest", **span, **by) == ids[1:4]
        assert walk.ids(limit=1, **span, **by) == ids[3:0:-1]
        assert walk.ids(**span | {"to": start + MINUTE}, **by) == ids[1:2]


def test_a_time_range_that_ends_before_it_starts_is_empty(walk: Walk) -> None:
    add(walk)
    span: dict[str, Any] = {"from": walk.clock() + MINUTE, "to": walk.clock() - MINUTE}

    for by in EVERYWHERE[:3]:
        assert walk.ids(**span, **by) == []


def test_agents_with_the_same_session_user_and_run_never_mix(walk: Walk) -> None:
    shared = {"session_id": "default", "user_id": "ana", "run_id": "r"}
    ids = {agent: [add(walk, agent_id=agent, **shared) for _ in range(5)] for agent in ("a", "b", "a#default", "a#")}

    for agent, own in ids.items():
        for by in ({}, *({name: value} for name, value in shared.items())):
            assert sorted(walk.ids(agent, limit=2, **by)) == sorted(own)


def test_tenants_with_the_same_names_never_mix(stores: Stores, walk: Walk, tenant: str, clock: Clock) -> None:
    other = Walk(stores, f"{tenant}-2", clock)
    mine, theirs = add(walk, user_id="ana", run_id="r"), add(other, user_id="ana", run_id="r")

    for by in EVERYWHERE:
        assert (walk.ids(**by), other.ids(**by)) == ([mine], [theirs])


def test_every_filter_passes_exactly_what_it_names(walk: Walk) -> None:
    plain = add(walk)
    rich = add(walk, session_id="t", type="conversation", user_id="ana", run_id="r", metadata={"k": "v", "n": 1})

    for name, value in {"session_id": "t", "type": "conversation", "user_id": "ana", "run_id": "r"}.items():
        assert walk.ids(**{name: value}) == [rich]
        assert walk.ids(**{name: value}, metadata={"k": "v"}) == [rich]
    assert walk.ids(session_id="s") == walk.ids(type="action") == [plain]
    assert walk.ids(metadata={"k": "v"}) == [rich]
    assert walk.ids(metadata={"n": "1"}) == walk.ids(metadata={"k": "w"}) == walk.ids(user_id="bob") == []


def test_filters_never_shorten_a_page(walk: Walk) -> None:
    now = walk.clock()
    episodes = [
        an_episode(
            walk.tenant,
            now,
            user_id="ana",
            run_id="r",
            timestamp=now - number * MINUTE,
            type="observation" if number % 40 == 7 else "action",
            metadata={"rare": "yes" if number % 40 == 7 else "no"},
        )
        for number in range(120)
    ]
    walk.stores.episodes.append(episodes, now)
    rare = [episode.id for episode in episodes[7::40]]

    for by in EVERYWHERE:
        pages = walk.pages(limit=2, type="observation", metadata={"rare": "yes"}, **by)
        assert [page.ids for page in pages] == [rare[:2], rare[2:]]
        assert not any(page.partial for page in pages)


@pytest.mark.parametrize("stores", ["hot"], indirect=True)
def test_a_walk_whose_budget_is_spent_says_so_and_goes_on(walk: Walk) -> None:
    now = walk.clock() - timedelta(hours=1)
    episodes = [an_episode(walk.tenant, now, timestamp=now - number * MINUTE) for number in range(1100)]
    rare = an_episode(walk.tenant, now, timestamp=now - timedelta(days=30), type="observation")
    walk.stores.episodes.append([*episodes, rare], now)

    pages = walk.pages(session_id="s", type="observation")

    assert (pages[0].ids, pages[0].partial) == ([], True)
    assert [each for page in pages for each in page.ids] == [rare.id]


def test_an_episode_is_hidden_from_the_moment_of_its_expiry(walk: Walk) -> None:
    brief, lasting = add(walk, ttl_hours=1, user_id="ana"), add(walk, user_id="ana")
    for by in EVERYWHERE[:3]:
        assert set(walk.ids(**by)) == {brief, lasting}

    walk.clock.turn(hours=1)
    for by in EVERYWHERE[:3]:
        assert walk.ids(**by) == [lasting]


def test_a_page_ends_before_2_5_million_bytes(walk: Walk) -> None:
    # Compresses well, so that it fits into a record; an emoji has one character and four bytes.
    for _ in range(8):
        walk.clock.turn(seconds=1)
        add(walk, content="🦄" * 100_000)

    pages = walk.pages(limit=100)

    assert all(sum(len(item.encode()) for item in page.items) <= 2_500_000 for page in pages)
    assert sum(len(page.ids) for page in pages) == 8
    assert len(pages) == 2


def test_writing_an_episode_again_changes_nothing(walk: Walk) -> None:
    episode = an_episode(walk.tenant, walk.clock(), timestamp=walk.clock() - timedelta(days=1))
    for _ in range(3):
        assert walk.stores.episodes.append([episode], walk.clock.turn(seconds=1)) == [None]

    assert walk.ids() == walk.ids(session_id="s") == [episode.id]


def test_an_episode_and_its_answer_are_kept_together_or_not_at_all(walk: Walk) -> None:
    now = walk.clock()
    answer = begin(walk.tenant, "POST /v1/memory/episodic", "k", b"{}", now).answered(201, "{}")
    first, second = (
        an_episode(walk.tenant, now, timestamp=age) for age in (now, datetime.min.replace(tzinfo=now.tzinfo))
    )

    walk.stores.episodes.append_answered(first, now, answer)
    with pytest.raises(AlreadyAnswered) as again:
        walk.stores.episodes.append_answered(second, now, answer)

    assert again.value.stored == answer
    assert walk.ids() == walk.ids(session_id="s") == [first.id]


@pytest.mark.parametrize("name", ["#", "a#b", "%23", "x" * 256, "🦄" * 64, "שלום", "~", "LATE#session#s#"])
def test_any_id_can_be_walked(walk: Walk, name: str) -> None:
    written = add(walk, agent_id=name, session_id=name, user_id=name, run_id=name, timestamp=walk.clock() - MINUTE)

    for by in ({}, {"session_id": name}, {"user_id": name}, {"run_id": name}):
        assert walk.ids(name, **by) == [written]


def test_a_cursor_goes_on_with_no_other_walk(walk: Walk, stores: Stores, clock: Clock) -> None:
    for _ in range(3):
        add(walk)
    cursor = walk.page(limit=1).next_cursor
    assert walk.page(limit=2, cursor=cursor).ids  # the limit may change

    foreign: list[dict[str, Any]] = [
        {"agent": "critic"},
        {"session_id": "s"},
        {"order": "oldest"},
        {"metadata": {"k": "v"}},
        {"type": "action"},
    ]
    for query in foreign:
        with pytest.raises(InvalidRequest):
            walk.page(limit=1, cursor=cursor, **query)
    with pytest.raises(InvalidRequest):
        Walk(stores, f"{walk.tenant}-2", clock).page(limit=1, cursor=cursor)


def test_what_has_no_room_is_refused_while_the_others_are_written(cold: Cold, walk: Walk) -> None:
    noise = os.urandom(400_000).hex()
    episodes = [
        Episode.from_request(
            walk.tenant, NewEpisode(agent_id="planner", session_id="s", type="action", content=c), walk.clock()
        )
        for c in (1, noise, 2)
    ]

    failures = walk.stores.episodes.append(episodes, walk.clock())

    assert [type(failure).__name__ for failure in failures] == ["NoneType", "NoRoomInRecord", "NoneType"]
    assert set(walk.ids()) == {episodes[0].id, episodes[2].id}
