"""What a purge promises, over stores in memory and over DynamoDB."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.buckets import GROWTH_DELAY, Buckets
from agent_memory.domain.idempotency import AlreadyAnswered, Attempt, begin, first_answer
from agent_memory.domain.ports import AgentStore
from agent_memory.domain.purge import Deleted, Removed
from agent_memory.domain.state import NewState, StateKey
from agent_memory.domain.usage import Tally
from agent_memory.errors import InProgress, StoreUnavailable
from agent_memory.service import purge as module
from agent_memory.service.purge import Purge
from tests.contract.conftest import Stores
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock
from tests.fakes.paging import Unlimited

LOOK_ALIKES = ["a", "a#b", "a#0", "a#1", "a%23b", "%", "b", "x" * 256, "#" * 256]
NOTHING = Deleted()


class Memories:
    """Semantic memory that knows how much an agent has, and goes away when told."""

    def __init__(self) -> None:
        self.left: Counter[tuple[str, str]] = Counter()
        self.is_away = False

    def purge(self, tenant_id: str, agent_id: str) -> int:
        if self.is_away:
            raise StoreUnavailable("the database is resuming from its pause", retry_after_s=10)
        some = min(500, self.left[tenant_id, agent_id])
        self.left[tenant_id, agent_id] -= some
        return some


class FailsAfter:
    """A store that fails when so many parts are gone, once."""

    def __init__(self, store: AgentStore, parts: int) -> None:
        self._store = store
        self._parts: int | None = parts

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for part in self._store.purge(tenant_id, agent_id) if self._parts != 0 else ():
            yield part
            if self._parts is not None:
                self._parts -= 1
            if self._parts == 0:
                break
        if self._parts == 0:
            self._parts = None
            raise StoreUnavailable("dynamodb did not answer")


class Scene:
    """Agents of a tenant with something in every store."""

    def __init__(self, stores: Stores, tenant: str, clock: Clock) -> None:
        self.stores, self.tenant, self.clock = stores, tenant, clock
        self.memories = Memories()

    def fill(self, agent: str, tenant: str | None = None, sessions: int = 3) -> None:
        tenant = tenant or self.tenant
        for number in range(sessions):
            session = f"s{number}"
            new = NewState(agent_id=agent, session_id=session, data={"n": number})
            self.stores.working(self.clock).create(tenant, new, Attempt(), b"key")
            self.append(agent, session, tenant)
            self.append(agent, session, tenant, timestamp=self.clock() - timedelta(days=400), run_id="r")
            self.stores.subjects.bind(tenant, agent, session, "ana")
            self.stores.registry.mark(tenant, agent, session)
        self.stores.registry.mark(tenant, agent, None)
        self.memories.left[tenant, agent] += 2

    def append(self, agent: str, session: str, tenant: str | None = None, **fields: Any) -> str:
        episode = an_episode(tenant or self.tenant, self.clock(), agent_id=agent, session_id=session, **fields)
        assert self.stores.episodes.append([episode], self.clock()) == [None]
        return episode.id

    def purge(self, agent: str = "planner", key: str | None = None, legs: list[AgentStore] | None = None) -> Deleted:
        record = key and begin(self.tenant, "DELETE /v1/memory/{agent_id}", key, b"", self.clock())
        legs = legs or [self.stores.records, self.stores.marks]
        service = Purge({"semantic": self.memories}, legs, self.stores.idempotency, self.stores.tally, self.clock)
        return service.run(self.tenant, agent, Attempt(record or None)).deleted

    def seen(self, agent: str, tenant: str | None = None) -> dict[str, Any]:
        """Everything that any reader finds of an agent."""
        tenant = tenant or self.tenant
        sessions = self.stores.state.sessions(tenant, agent, None, self.clock(), Unlimited())
        walk = Walk(self.stores.another(), tenant, self.clock)
        return {
            "sessions": [session.session_id for _, session in sessions if session],
            "episodes": len(walk.ids(agent)),
            "by session": len(walk.ids(agent, session_id="s1")),
            "by run": len(walk.ids(agent, run_id="r")),
            "memories": self.memories.left[tenant, agent],
            "listed": agent in self.stores.registry.agents(tenant, 100),
        }

    @property
    def whole(self) -> dict[str, Any]:
        sessions = ["s0", "s1", "s2"]
        return {"sessions": sessions, "episodes": 6, "by session": 2, "by run": 3, "memories": 2, "listed": True}


EMPTY = {"sessions": [], "episodes": 0, "by session": 0, "by run": 0, "memories": 0, "listed": False}


@pytest.fixture
def scene(stores: Stores, tenant: str, clock: Clock) -> Scene:
    return Scene(stores, tenant, clock)


def test_nothing_of_the_agent_is_left_and_the_answer_says_how_much_there_was(scene: Scene) -> None:
    scene.fill("planner")
    assert scene.seen("planner") == scene.whole

    deleted = scene.purge()

    assert scene.seen("planner") == EMPTY
    assert deleted.model_dump(exclude={"other"}) == {
        "state": 3,
        "episodic": 6,
        "semantic": 2,
        "facts": 0,
        "procedures": 0,
        "runs": 0,
        "s3_objects": 0,
        "sessions": 3,
    }
    assert deleted.other >= 3
    assert scene.stores.subjects.bind(scene.tenant, "planner", "s0", "bob") == "bob"


def test_an_agent_with_nothing_is_purged_of_nothing(scene: Scene) -> None:
    assert scene.purge("nobody") == NOTHING
    scene.fill("planner")
    scene.purge()

    assert scene.purge() == NOTHING


@pytest.mark.parametrize("agent", ["a", "a#0", "x" * 256])
def test_agents_whose_ids_look_alike_stay_whole(scene: Scene, agent: str) -> None:
    for each in LOOK_ALIKES:
        scene.fill(each)

    scene.purge(agent)

    assert scene.seen(agent) == EMPTY
    assert [scene.seen(each) for each in LOOK_ALIKES if each != agent] == [scene.whole] * (len(LOOK_ALIKES) - 1)


def test_another_tenants_agent_of_the_same_name_stays_whole(scene: Scene) -> None:
    others = [f"{scene.tenant}-2", scene.tenant[:-1]]
    for tenant in (scene.tenant, *others):
        scene.fill("planner", tenant)

    scene.purge()

    assert [scene.seen("planner", tenant) for tenant in others] == [scene.whole] * 2


def test_every_bucket_that_the_agent_is_spread_over_is_emptied(scene: Scene) -> None:
    scene.fill("planner")
    scene.stores.buckets.grow(scene.tenant, "planner", Buckets(), Buckets().grown(8, scene.clock()))
    scene.clock.now += GROWTH_DELAY
    scene.stores = scene.stores.another()
    for number in range(40):
        scene.append("planner", f"s{number}")

    deleted = scene.purge()

    assert deleted.episodic == 46
    assert scene.seen("planner") == EMPTY


def test_what_is_written_where_the_agent_was_spread_to_is_found_after_a_purge(scene: Scene) -> None:
    """The plan outlives the purge: functions that know of it still write by it."""
    scene.stores.buckets.grow(scene.tenant, "planner", Buckets(), Buckets().grown(8, scene.clock()))
    scene.clock.now += GROWTH_DELAY
    writer = scene.stores.another()
    assert writer.buckets.get(scene.tenant, "planner").all() == list(range(8))

    scene.purge()
    episodes = [an_episode(scene.tenant, scene.clock(), session_id=f"s{number}") for number in range(20)]
    assert writer.episodes.append(episodes, scene.clock()) == [None] * 20

    assert scene.seen("planner")["episodes"] == 20


def test_more_than_a_call_takes_is_removed(scene: Scene) -> None:
    episodes = [an_episode(scene.tenant, scene.clock()) for _ in range(130)]
    scene.stores.episodes.append(episodes, scene.clock())
    scene.memories.left[scene.tenant, "planner"] = 1203

    assert scene.purge().model_dump(include={"episodic", "semantic"}) == {"episodic": 130, "semantic": 1203}


def test_expired_records_that_nothing_swept_go_too(scene: Scene) -> None:
    scene.append("planner", "s", ttl_hours=1)
    new = NewState(agent_id="planner", data={}, ttl_hours=1)
    scene.stores.working(scene.clock).create(scene.tenant, new, Attempt(), b"key")
    scene.clock.turn(hours=2)

    assert scene.purge().model_dump(include={"state", "episodic"}) == {"state": 1, "episodic": 1}


def test_usage_is_what_it_was_before_the_agent(scene: Scene) -> None:
    scene.fill("critic")
    before = scene.stores.tally.dynamo_bytes
    scene.fill("planner")
    after = scene.stores.tally.dynamo_bytes

    scene.purge()

    told = scene.stores.tally.taken()
    assert after > before == told.dynamo_bytes
    assert (told.agents, told.sessions) == (-1, -3)


def test_while_somebody_writes_a_purge_ends_and_what_was_acknowledged_before_is_gone(scene: Scene) -> None:
    before = [scene.append("planner", f"s{number % 7}") for number in range(120)]
    stopped, writing = threading.Event(), threading.Event()
    writer = Scene(scene.stores.another(), scene.tenant, scene.clock)

    def write() -> None:
        while not stopped.is_set():
            writer.append("planner", "s1")
            writing.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert writing.wait(10)
        deleted = scene.purge()
    finally:
        stopped.set()
        thread.join()

    assert deleted.episodic >= 120
    left = Walk(scene.stores.another(), scene.tenant, scene.clock).ids(limit=500)
    assert not set(before) & set(left)
    assert scene.purge().episodic == len(left)


def test_what_is_written_while_the_first_round_runs_is_found_by_the_next(scene: Scene) -> None:
    scene.append("planner", "s")

    class LateWriter:
        """A store that is empty, and whose first visitor is followed by a writer."""

        came = False

        def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
            if not self.came:
                self.came = True
                scene.append(agent_id, "late", tenant_id)
            yield from ()

    legs: list[AgentStore] = [scene.stores.records, LateWriter(), scene.stores.marks]

    assert scene.purge(legs=legs).episodic == 2
    assert scene.seen("planner")["episodes"] == 0


@pytest.mark.parametrize("key", [None, "k"])
def test_a_database_that_is_away_leaves_everything_as_it_was(scene: Scene, key: str | None) -> None:
    scene.fill("planner")
    scene.memories.is_away = True

    with pytest.raises(StoreUnavailable) as refused:
        scene.purge(key=key)
    scene.memories.is_away = False

    assert refused.value.retry_after_s == 10
    assert scene.seen("planner") == scene.whole
    assert scene.purge(key=key).episodic == 6


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("parts", [0, 1])
def test_a_store_that_fails_half_way_is_an_error_and_a_repetition_finishes(
    scene: Scene, parts: int, key: str | None
) -> None:
    scene.fill("planner")
    legs: list[AgentStore] = [FailsAfter(scene.stores.records, parts), scene.stores.marks]

    with pytest.raises(StoreUnavailable):
        scene.purge(key=key, legs=legs)
    assert scene.seen("planner")["listed"], "it is known to be there until it is gone"
    scene.purge(key=key, legs=legs)

    assert scene.seen("planner") == EMPTY
    assert scene.stores.tally.dynamo_bytes == 0


def test_when_time_is_up_it_says_so_and_what_is_gone_stays_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.fill("planner")
    monkeypatch.setattr(module, "_SECONDS", 0.0)

    with pytest.raises(StoreUnavailable) as refused:
        scene.purge()
    details: Any = refused.value.details
    monkeypatch.undo()

    assert (refused.value.retry_after_s, details["deleted"]["semantic"]) == (1, 2)
    assert scene.memories.left[scene.tenant, "planner"] == 0
    assert scene.purge().episodic == 6


def test_a_repetition_with_a_key_hears_the_first_answer_and_removes_nothing(scene: Scene) -> None:
    scene.fill("planner")
    first = scene.purge(key="k")
    scene.fill("planner")

    with pytest.raises(AlreadyAnswered) as again:
        scene.purge(key="k")

    asked = begin(scene.tenant, "DELETE /v1/memory/{agent_id}", "k", b"", scene.clock())
    assert f'"episodic":{first.episodic}' in str(first_answer(again.value.stored, asked).body)
    assert scene.seen("planner") == scene.whole


def test_two_purges_with_one_key_do_not_run_at_once(scene: Scene) -> None:
    asked = begin(scene.tenant, "DELETE /v1/memory/{agent_id}", "k", b"", scene.clock())
    scene.stores.idempotency.claim(asked, scene.clock())

    with pytest.raises(AlreadyAnswered) as again:
        scene.purge(key="k")

    with pytest.raises(InProgress):
        first_answer(again.value.stored, asked)


def test_a_session_can_be_written_anew_from_its_first_version(scene: Scene) -> None:
    key = StateKey(scene.tenant, "planner", "s0")
    for _ in range(2):
        scene.fill("planner")
    scene.purge()

    scene.fill("planner")

    state = scene.stores.state.get(key, scene.clock())
    assert state
    assert state.version == 1
    assert scene.seen("planner") == scene.whole
    assert scene.stores.tally != Tally()
