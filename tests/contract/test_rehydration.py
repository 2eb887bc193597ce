"""Archived episodes come back into the hot tier as they were, for some days, and are counted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.episode import Episode
from agent_memory.domain.eviction import at_expiry
from agent_memory.domain.rehydration import Rehydrated
from agent_memory.errors import Conflict, InvalidRequest
from agent_memory.service.rehydrate import Rehydration
from tests.contract.cold import Cold, key_of
from tests.contract.tiers import Tiers
from tests.contract.walks import an_episode
from tests.fakes.clock import Clock

DAY = timedelta(days=1)


@pytest.fixture
def tiers(cold: Cold) -> Tiers:
    return Tiers(cold)


@pytest.fixture
def rehydration(tiers: Tiers, clock: Clock) -> Rehydration:
    cold = tiers.cold
    return Rehydration(cold.index, cold.rows, lambda: tiers, cold.rehydrated, cold.stores.usage, clock)


def episodes_of(tenant: str, clock: Clock, count: int, **fields: Any) -> list[Episode]:
    """One a day, the oldest first; written long ago."""
    return [
        an_episode(
            tenant, clock() - 90 * DAY, timestamp=clock() - (count - number) * DAY, content={"n": number}, **fields
        )
        for number in range(count)
    ]


def hot(tiers: Tiers, episodes: Sequence[Episode]) -> list[Episode]:
    """Those that are in the hot tier, marked for eviction or not."""
    (first, *_) = episodes
    span_of_all = Tiers.span(first.tenant_id, first.agent_id)
    return [each for _, each in tiers.cold.stores.episodes.timeline(*span_of_all) if each]


def test_a_range_comes_back_as_it_was(tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock) -> None:
    written = episodes_of(tenant, clock, 12, user_id="ana", run_id="r", metadata={"k": 1.50}, ttl_hours=24 * 365)
    written[5] = replace(written[5], content=None, body=StoredBody(f"{tenant}/planner/bodies/x", "ab" * 32, 5_000_000))
    for start in (0, 4, 8):
        tiers.archive(written[start : start + 4])

    done = rehydration.run(tenant, "planner", written[3].timestamp, written[8].timestamp, days=5)

    assert (done.found, done.written) == (6, 6)
    assert hot(tiers, written) == written[3:9]
    for each in written[3:9]:
        marked = tiers.cold.evict_at(each)
        assert marked is not None
        assert clock() + 5 * DAY <= marked <= clock() + 5 * DAY + timedelta(seconds=2)
    assert tiers.cold.hot.read(tenant, "planner", [key_of(each) for each in written]) == []  # nothing to archive


def test_what_was_written_is_counted(tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock) -> None:
    written = episodes_of(tenant, clock, 3)
    tiers.archive(written)

    done = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=1)

    assert done.bytes > 0
    assert tiers.cold.stores.usage.get(tenant)["dynamo_bytes"] == done.bytes


def test_it_may_be_repeated(tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock) -> None:
    written = episodes_of(tenant, clock, 5)
    tiers.archive(written)
    first = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=3)

    longer = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=9)
    shorter = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=1)

    assert (first.written, longer, shorter) == (5, Rehydrated(5, 0, 0), Rehydrated(5, 0, 0))
    assert tiers.cold.stores.usage.get(tenant)["dynamo_bytes"] == first.bytes
    assert {tiers.cold.evict_at(each) for each in written} == {at_expiry(clock() + 9 * DAY)}
    assert hot(tiers, written) == written


def test_what_is_still_hot_stays_so_long_too(tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock) -> None:
    written = episodes_of(tenant, clock, 2)
    tiers.cold.stores.episodes.append(written, clock())
    tiers.archive(written)
    tiers.cold.hot.evict(tenant, "planner", [(key_of(written[0]), clock() + DAY)])

    done = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=4)

    assert done.written == 0
    assert [tiers.cold.evict_at(each) for each in written] == [at_expiry(clock() + 4 * DAY)] * 2


def test_what_has_expired_does_not_come_back(tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock) -> None:
    expired, live = episodes_of(tenant, clock, 2)
    tiers.archive([replace(expired, expires_at=clock()), live])

    assert rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=1).found == 1
    assert hot(tiers, [live]) == [live]


def test_an_eviction_is_never_taken_for_an_expiry(
    tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock
) -> None:
    (each,) = episodes_of(tenant, clock, 1)
    each = replace(each, expires_at=clock() + 2 * DAY)
    tiers.archive([each])

    rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=2)

    assert tiers.cold.evict_at(each) != at_expiry(clock() + 2 * DAY)


def test_an_agent_that_is_purged_meanwhile_stays_empty(
    tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = episodes_of(tenant, clock, 3)
    tiers.archive(written)

    def purge_then_get(key: str) -> bytes | None:
        content = tiers.cold.objects.get(key)
        tiers.cold.index.begin_epoch(tenant, "planner")
        return content

    monkeypatch.setattr(tiers, "get", purge_then_get)
    with pytest.raises(Conflict):
        rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=2)

    assert hot(tiers, written) == []


def test_objects_may_take_the_place_of_others_meanwhile(
    tiers: Tiers, rehydration: Rehydration, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = episodes_of(tenant, clock, 30)
    rows = [tiers.archive(written[start : start + 5]) for start in range(0, 30, 5)]

    def compact_then_get(key: str) -> bytes | None:
        if key == rows[3].key and rows[3] in tiers.rows:
            tiers.compact(rows[2:5])
        return tiers.cold.objects.get(key)

    monkeypatch.setattr(tiers, "get", compact_then_get)
    done = rehydration.run(tenant, "planner", clock() - 90 * DAY, clock(), days=2)

    assert (done.found, done.written) == (30, 30)
    assert hot(tiers, written) == written


@pytest.mark.parametrize(
    ("tenant_id", "agent_id", "days"), [("ACME", "planner", 1), ("acme", "", 1), ("acme", "planner", -1)]
)
def test_a_broken_order_is_refused(
    rehydration: Rehydration, clock: Clock, tenant_id: str, agent_id: str, days: int
) -> None:
    with pytest.raises(InvalidRequest):
        rehydration.run(tenant_id, agent_id, clock(), clock() + days * DAY, days=1)
