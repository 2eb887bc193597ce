"""An index that lags behind its table hides nothing: what was acknowledged is found at once."""

from datetime import timedelta
from typing import Any

import pytest

from agent_memory.adapters.dynamodb_control import DynamoBucketStore, DynamoSubjectStore
from agent_memory.adapters.dynamodb_episodes import DynamoEpisodeStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.domain.buckets import GROWTH_DELAY, Buckets
from agent_memory.domain.usage import Tally
from agent_memory.service.episodic import EpisodicMemory
from agent_memory.service.subjects import Subjects
from tests.contract.conftest import on_dynamodb
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock
from tests.fakes.episodes import HOT_WINDOW
from tests.fix_aws import Aws

INDEXES: list[dict[str, Any]] = [{"session_id": "s"}, {"user_id": "ana"}, {"run_id": "r"}]
every_index = pytest.mark.parametrize("by", INDEXES, ids=["session", "user", "run"])
orders = pytest.mark.parametrize("order", ["newest", "oldest"])


class LaggingWalk(Walk):
    """A walk whose indexes show nothing that was written in the last 49 seconds."""

    hidden: set[str]

    def append(self, *, hidden: bool, **fields: Any) -> str:
        episode = an_episode(self.tenant, self.clock(), user_id="ana", run_id="r", **fields)
        assert self.stores.episodes.append([episode], self.clock()) == [None]
        if hidden:
            self.hidden.add(episode.id)
        return episode.id


@pytest.fixture
def walk(aws: Aws, tenant: str, monkeypatch: pytest.MonkeyPatch) -> LaggingWalk:
    client = aws.client()
    answer = client.call
    made = LaggingWalk(on_dynamodb(aws), tenant, Clock())
    made.hidden = set()

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answered = answer(operation, request)
        if "IndexName" in request:
            answered["Items"] = [i for i in answered["Items"] if i["sk"]["S"].rpartition("#")[2] not in made.hidden]
        return answered

    monkeypatch.setattr(client, "call", call)
    buckets = DynamoBucketStore(client, aws.control_table)
    idempotency = DynamoIdempotencyStore(client, aws.control_table)
    store = DynamoEpisodeStore(client, aws.memory_table, buckets, idempotency, Tally(), HOT_WINDOW)
    subjects, values = Subjects(DynamoSubjectStore(client, aws.memory_table)), made.stores.values(made.clock)
    service = EpisodicMemory(store, subjects, values, made.clock)
    monkeypatch.setattr(made.stores, "episodes", store)
    monkeypatch.setattr(made.stores, "episodic", lambda _clock: service, raising=False)
    return made


@every_index
@orders
def test_what_was_just_written_is_found_whatever_its_time(walk: LaggingWalk, by: dict[str, Any], order: str) -> None:
    ages = [86_400 * 400, 3600, 61, 60, 59, 11, 10, 9, 1, 0, -30, -3600]
    ids = [walk.append(hidden=True, timestamp=walk.clock() - timedelta(seconds=age)) for age in ages]

    assert walk.ids(order=order, limit=5, **by) == (ids if order == "oldest" else ids[::-1])


@every_index
@orders
def test_late_and_settled_episodes_stand_in_one_order(walk: LaggingWalk, by: dict[str, Any], order: str) -> None:
    start = walk.clock() - timedelta(hours=1)
    ids = [walk.append(hidden=n % 3 == 0, timestamp=start + timedelta(minutes=2 * n)) for n in range(30)]

    assert walk.ids(order=order, limit=7, **by) == (ids if order == "oldest" else ids[::-1])


@every_index
def test_later_pages_find_them_too(walk: LaggingWalk, by: dict[str, Any]) -> None:
    ids = [walk.append(hidden=True, timestamp=walk.clock() - timedelta(hours=n)) for n in range(12)]
    found = []
    for page in walk.each_page(limit=2, **by):
        walk.clock.turn(seconds=9)
        found += page.ids

    assert found == ids


@every_index
def test_a_walk_finds_what_was_written_49_seconds_before_it(walk: LaggingWalk, by: dict[str, Any]) -> None:
    ids = [walk.append(hidden=True, timestamp=walk.clock() - timedelta(seconds=age)) for age in (0, 9.9, 10.1, 3600)]
    walk.clock.turn(seconds=49)

    assert walk.ids(**by) == ids


def test_neighbours_are_not_found(walk: LaggingWalk) -> None:
    old = walk.clock() - timedelta(hours=1)
    mine = walk.append(hidden=True, timestamp=old)
    for other in ({"session_id": "s#"}, {"session_id": "t"}, {"agent_id": "critic"}):
        walk.append(hidden=True, timestamp=old, **other)

    assert walk.ids(session_id="s") == [mine]
    later: dict[str, Any] = {"from": old + timedelta(seconds=1)}
    assert walk.ids(session_id="s", **later) == []
    assert walk.ids(session_id="s", to=old) == [mine]


@every_index
def test_a_spread_agent_hides_nothing_either(walk: LaggingWalk, by: dict[str, Any]) -> None:
    walk.stores.another().buckets.grow(walk.tenant, "planner", Buckets(), Buckets().grown(8, walk.clock()))
    walk.clock.now += GROWTH_DELAY
    ids = [walk.append(hidden=True, timestamp=walk.clock() - timedelta(hours=n)) for n in range(5)]

    assert walk.ids(limit=2, **by) == ids


def test_a_page_after_a_long_import_reads_no_more_of_it_than_it_shows(walk: LaggingWalk) -> None:
    old = walk.clock() - timedelta(days=400)
    episodes = [
        an_episode(walk.tenant, walk.clock(), timestamp=old + timedelta(seconds=number)) for number in range(300)
    ]
    for start in range(0, 300, 100):
        assert walk.stores.episodes.append(episodes[start : start + 100], walk.clock()) == [None] * 100
    client = walk.stores.episodes._client  # type: ignore[attr-defined]
    walk.ids(session_id="s", order="oldest", limit=300)
    before = client.calls

    page = walk.page(session_id="s", order="oldest", limit=10)

    assert page.ids == [episode.id for episode in episodes[:10]]
    assert client.calls - before <= 5, "index, its records, newest, markers, their records"


@orders
def test_a_session_is_found_at_once_beside_one_that_fills_the_future(walk: LaggingWalk, order: str) -> None:
    far = walk.clock() + timedelta(days=365_000)
    noise = [
        an_episode(walk.tenant, walk.clock(), session_id="other", timestamp=far + timedelta(seconds=number))
        for number in range(300)
    ]
    for start in range(0, 300, 100):
        walk.stores.episodes.append(noise[start : start + 100], walk.clock())
    mine = [walk.append(hidden=True, timestamp=walk.clock() + timedelta(days=n - 2)) for n in range(5)]

    assert walk.ids(order=order, session_id="s") == (mine if order == "oldest" else mine[::-1])
