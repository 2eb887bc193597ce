"""What a walk over both tiers does when the cold one is not as it should be, and what others do wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import ScanBudget
from agent_memory.errors import StoreUnavailable
from tests.contract.cold import Cold
from tests.contract.tiers import Tiers, in_objects, old_episodes
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock

DAY = timedelta(days=1)


@pytest.fixture
def tiers(cold: Cold) -> Tiers:
    return Tiers(cold)


@pytest.fixture
def walk(tiers: Tiers, tenant: str, clock: Clock) -> Walk:
    return Walk(replace(tiers.cold.stores, episodes=tiers.timeline()), tenant, clock)


def test_duplicates_over_objects_and_tiers_are_one(tiers: Tiers, walk: Walk, tenant: str, clock: Clock) -> None:
    written = old_episodes(tenant, clock, 30)
    tiers.cold.stores.episodes.append(written[10:20], clock())
    for start, stop in ((0, 20), (5, 25), (15, 30), (19, 20)):
        tiers.archive(written[start:stop])

    for by in ({}, {"session_id": "s"}):
        for limit in (1, 7, 50):
            assert walk.ids(limit=limit, **by) == [each.id for each in reversed(written)]


class Compacting:
    """Rows, of which some are compacted behind the back of whoever has just read them."""

    def __init__(self, tiers: Tiers, times: int) -> None:
        self._tiers = tiers
        self.times = times

    def along(self, stretch: Stretch, budget: ScanBudget) -> Iterator[ArchivedObject]:
        rows = list(self._tiers.cold.rows.along(stretch, budget))
        if self.times and len(self._tiers.rows) > 1:
            self._tiers.compact(self._tiers.rows[:2])
            self.times -= 1
        return iter(rows)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_object_that_another_took_the_place_of_is_looked_for_again(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock, order: str
) -> None:
    written = old_episodes(tenant, clock, 40)
    in_objects(tiers, written, 10)
    walk.stores.episodes._rows = Compacting(tiers, times=1)  # type: ignore[attr-defined]

    assert walk.ids(order=order) == [each.id for each in (written if order == "oldest" else reversed(written))]


def test_an_object_that_stays_missing_is_an_error_and_no_gap(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock
) -> None:
    written = old_episodes(tenant, clock, 40)
    in_objects(tiers, written, 10)
    tiers.cold.objects.remove(tiers.rows[1].key)

    assert walk.page(limit=15).ids == [each.id for each in reversed(written[25:])]
    with pytest.raises(StoreUnavailable):
        walk.page(limit=30)


def test_an_object_that_is_not_what_was_written_is_an_error_and_a_line_without_content(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    row = tiers.archive(old_episodes(tenant, clock, 3, content="secret"))
    good = tiers.cold.objects.get(row.key)
    assert good
    tiers.cold.objects.put_over(row.key, good[:-1] + bytes([good[-1] ^ 1]))

    with pytest.raises(StoreUnavailable):
        walk.page()

    line = json.loads(capsys.readouterr().out)
    assert line == {"level": "ERROR", "error": "ArchivedObjectBroken", "object": row.key.rpartition("/")[2]}


def test_an_object_shows_nothing_of_another_agent_or_tenant(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock
) -> None:
    own, foreign = old_episodes(tenant, clock, 2)
    tiers.archive([own, replace(foreign, agent_id="critic")])
    tiers.archive([own, replace(foreign, tenant_id=f"{tenant}-2", id="0" * 26)])

    assert walk.ids() == [own.id]


# What a rival's reads get wrong: the last ten were the first ten, filters came after the limit, and a replay showed
# every agent's turns of a session with the same name.


def test_the_newest_come_first_from_both_tiers(tiers: Tiers, walk: Walk, tenant: str, clock: Clock) -> None:
    old = old_episodes(tenant, clock, 30)
    in_objects(tiers, old, 10)
    recent = [an_episode(tenant, clock(), timestamp=clock() - number * timedelta(hours=9)) for number in range(6)]
    tiers.cold.stores.episodes.append(recent, clock())

    assert walk.page(limit=10).ids == [each.id for each in [*recent, *reversed(old)]][:10]


def test_filters_come_before_the_limit(tiers: Tiers, walk: Walk, tenant: str, clock: Clock) -> None:
    written = old_episodes(tenant, clock, 200)
    rare = [
        replace(each, type="observation", annotations={"metadata": {"k": "v"}})
        for number, each in enumerate(written)
        if number % 50 == 3
    ]
    by_id = {each.id: each for each in [*written, *rare]}
    in_objects(tiers, list(by_id.values()), 40)

    assert walk.page(limit=3, type="observation").ids == [each.id for each in reversed(rare)][:3]
    assert walk.page(limit=3, metadata={"k": "v"}).ids == [each.id for each in reversed(rare)][:3]


@pytest.mark.parametrize("agents", [("planner", "critic"), ("a", "a#default")])
def test_a_replay_is_of_one_agent(tiers: Tiers, cold: Cold, tenant: str, clock: Clock, agents: tuple[str, str]) -> None:
    stores = replace(cold.stores, episodes=tiers.timeline())
    for agent in agents:
        tiers.archive(old_episodes(tenant, clock, 3, agent_id=agent, session_id="default"))
        hot = an_episode(tenant, clock(), agent_id=agent, session_id="default", timestamp=clock() - 3 * DAY)
        cold.stores.episodes.append([hot], clock())

    for agent in agents:
        page = Walk(stores, tenant, clock).page(agent, session_id="default", order="oldest")
        assert Counter(each["agent_id"] for each in page.episodes) == {agent: 4}
