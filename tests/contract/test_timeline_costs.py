"""What a walk over both tiers costs: objects read, and looks into the index."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent_memory.domain.episode import Examined
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.timeline import Span
from agent_memory.service.timeline import TieredEpisodes
from tests.contract.cold import Cold, a_row, positions
from tests.contract.tiers import Tiers, in_objects, old_episodes
from tests.contract.walks import Walk, an_episode
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from agent_memory.domain.ports import EpisodeStore

DAY = timedelta(days=1)


@pytest.fixture
def tiers(cold: Cold) -> Tiers:
    return Tiers(cold)


@pytest.fixture
def walk(tiers: Tiers, tenant: str, clock: Clock) -> Walk:
    return Walk(replace(tiers.cold.stores, episodes=tiers.timeline()), tenant, clock)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_page_of_50_anywhere_reads_at_most_three_objects(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock, order: str
) -> None:
    written = old_episodes(tenant, clock, 700)
    in_objects(tiers, written, 60)  # smaller than any object under load
    costs = []

    found: list[str] = []
    for page in walk.each_page(order=order, limit=50):
        found += page.ids
        costs.append(tiers.reads)
        tiers.reads = 0

    assert found == [each.id for each in (written if order == "oldest" else reversed(written))]
    assert (len(costs), max(costs), tiers.looks) == (14, 2, 14)


def test_a_page_of_what_is_hot_asks_the_cold_tier_nothing(tiers: Tiers, walk: Walk, tenant: str, clock: Clock) -> None:
    old = old_episodes(tenant, clock, 100)
    in_objects(tiers, old, 50)
    recent = [an_episode(tenant, clock(), timestamp=clock() - number * timedelta(minutes=1)) for number in range(60)]
    tiers.cold.stores.episodes.append(recent, clock())

    assert walk.page(limit=50).ids == [each.id for each in recent[:50]]
    day: dict[str, Any] = {"from": clock() - timedelta(hours=20)}
    assert walk.page(limit=50, **day).ids == [each.id for each in recent[:50]]
    assert (tiers.looks, tiers.reads) == (0, 0)
    assert walk.page(limit=20, order="oldest", **day).ids == [each.id for each in reversed(recent)][:20]
    assert (tiers.looks, tiers.reads) == (0, 0)


def test_objects_that_cannot_hold_what_is_asked_for_are_not_read(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock
) -> None:
    plain = old_episodes(tenant, clock, 40)
    for start in range(0, 40, 2):
        tiers.archive(plain[start : start + 2])
    rich = an_episode(
        tenant,
        clock() - 90 * DAY,
        timestamp=clock() - 20 * DAY,
        session_id="t",
        user_id="ana",
        run_id="r",
        type="observation",
    )
    tiers.archive([rich])

    for by in ({"session_id": "t"}, {"user_id": "ana"}, {"run_id": "r"}, {"type": "observation"}):
        for order in ("newest", "oldest"):
            tiers.reads = 0
            assert walk.ids(order=order, **by) == [rich.id]
            assert tiers.reads == 1
    assert walk.ids(user_id="bob") == []


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_time_range_reads_what_touches_it(tiers: Tiers, walk: Walk, tenant: str, clock: Clock, order: str) -> None:
    written = old_episodes(tenant, clock, 500)
    in_objects(tiers, written, 20)
    wanted = written[205:215]
    span: dict[str, Any] = {"from": wanted[0].timestamp, "to": wanted[-1].timestamp}

    assert walk.ids(order=order, **span) == [each.id for each in (wanted if order == "oldest" else reversed(wanted))]
    assert tiers.reads == 1


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("filters", [{}, {"type": "observation"}, {"session_id": "s"}])
def test_more_objects_over_each_other_than_a_request_may_read_do_not_stop_a_walk(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock, order: str, filters: dict[str, str]
) -> None:
    written = old_episodes(tenant, clock, 150, type="observation")
    for first in range(15):
        tiers.archive(written[first::15])

    found = walk.ids(order=order, limit=40, **filters)

    assert found == [each.id for each in (written if order == "oldest" else reversed(written))]


def test_an_object_is_not_read_before_the_walk_comes_to_it(tiers: Tiers, walk: Walk, tenant: str, clock: Clock) -> None:
    in_objects(tiers, old_episodes(tenant, clock, 30), 10)
    hot = [an_episode(tenant, clock() - 5 * DAY, timestamp=clock() - (2 + number) * DAY) for number in range(7)]
    tiers.cold.stores.episodes.append(hot, clock())

    assert walk.page(limit=6).ids == [each.id for each in hot[:6]]
    assert (tiers.looks, tiers.reads) == (1, 0)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_walk_over_objects_that_hold_nothing_of_it_comes_to_its_end(
    tiers: Tiers, walk: Walk, tenant: str, clock: Clock, order: str
) -> None:
    rows = [a_row(tenant, place, place) for place in positions(clock, *(-60 * number for number in range(300, 1000)))]
    for start in range(0, len(rows), 90):
        tiers.cold.index.swap(rows[start : start + 90], [], 0)

    pages = walk.pages(user_id="bob", order=order)

    assert [page.partial for page in pages] == [True, False]
    assert (sum(len(page.ids) for page in pages), tiers.reads) == (0, 0)


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_walk_holds_few_large_episodes_at_once(cold: Cold, tenant: str, clock: Clock, newest_first: bool) -> None:
    """Of some that compress a thousandfold a page of the table has more than a function has memory."""
    read = 0

    class Counted:
        def timeline(self, span: Span, budget: ScanBudget) -> Iterator[Examined]:
            nonlocal read
            for examined in cold.stores.episodes.timeline(span, budget):
                read += 1
                yield examined

    written = old_episodes(tenant, clock, 20, content=[[]] * 100_000)
    cold.stores.episodes.append(written, clock())
    span, budget = Tiers.span(tenant)
    walk = TieredEpisodes(cast("EpisodeStore", Counted()), cold.rows, lambda: cold.objects)

    found = walk.timeline(replace(span, newest_first=newest_first), budget)

    assert next(found)[0] == written[-1 if newest_first else 0].position
    assert read <= 6
    assert len(list(found)) == 19
