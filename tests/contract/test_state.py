"""What every state store promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord, begin
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.domain.state import Session, State, StateChange, StateKey, VersionMismatch
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock
from tests.fakes.paging import Pages, Unlimited
from tests.unit.test_json_document import FAITHFUL

SOON = timedelta(hours=1)
TICK = timedelta(microseconds=1)


@pytest.fixture
def key(tenant: str) -> StateKey:
    return StateKey(tenant, "planner", "default")


def a_state(
    key: StateKey, now: datetime, version: int = 1, data: Any = None, expires_at: datetime | None = None
) -> State:
    return State(key, data or {"step": version}, version, now, now, expires_at, {})


def a_change(key: StateKey, now: datetime, version: int, **fields: Any) -> StateChange:
    return StateChange(key, {"step": version}, version, now, fields.get("expires_at"), fields.get("annotations", {}))


def a_record(tenant: str, now: datetime, key: str = "k", body: bytes = b"{}") -> IdempotencyRecord:
    return begin(tenant, "POST /v1/state", key, body, now).answered(201, '{"step":1}')


def test_a_record_is_read_as_it_was_written(stores: Stores, key: StateKey, clock: Clock) -> None:
    annotations = {"user_id": "ana", "purposes": ["support"], "metadata": {"a": None}, "trust": "direct_user"}
    state = replace(a_state(key, clock(), expires_at=clock() + SOON), annotations=annotations)

    stores.state.put(state, None)

    assert stores.state.get(key, clock()) == state


def test_every_number_and_string_comes_back_as_it_was_written(stores: Stores, key: StateKey, clock: Clock) -> None:
    text = '{"values":[' + ",".join(FAITHFUL) + "]}"

    stores.state.put(a_state(key, clock(), data=parse(text)), None)

    stored = stores.state.get(key, clock())
    assert stored
    assert dumps(stored.data) == text


def test_nothing_is_read_where_nothing_was_written(stores: Stores, key: StateKey, clock: Clock) -> None:
    assert stores.state.get(key, clock()) is None


def test_each_version_follows_the_one_before(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock()), None)
    stores.state.put(a_state(key, clock(), version=2), None)

    with pytest.raises(VersionMismatch) as refused:
        stores.state.put(a_state(key, clock(), version=2, data={"lost": True}), None)

    assert refused.value.current == a_state(key, clock(), version=2) == stores.state.get(key, clock())


@pytest.mark.parametrize("version", [2, 7])
def test_a_later_version_needs_something_to_stand_on(stores: Stores, key: StateKey, clock: Clock, version: int) -> None:
    with pytest.raises(VersionMismatch) as refused:
        stores.state.put(a_state(key, clock(), version=version), None)
    with pytest.raises(VersionMismatch):
        stores.state.update(a_change(key, clock(), version))

    assert refused.value.current is None
    assert stores.state.get(key, clock()) is None


def test_a_first_version_never_replaces_a_living_record(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock(), expires_at=clock() + SOON), None)

    with pytest.raises(VersionMismatch) as refused:
        stores.state.put(a_state(key, clock(), data={"lost": True}), None)

    assert refused.value.current == a_state(key, clock(), expires_at=clock() + SOON)


def test_a_record_is_absent_from_the_moment_of_its_expiry(stores: Stores, key: StateKey, clock: Clock) -> None:
    expires_at = clock() + SOON
    stores.state.put(a_state(key, clock(), expires_at=expires_at), None)

    assert stores.state.get(key, expires_at - TICK)
    assert stores.state.get(key, expires_at) is None
    with pytest.raises(VersionMismatch) as refused:
        stores.state.update(a_change(key, expires_at, version=2))
    assert refused.value.current is None
    assert stores.state.delete(key, expires_at, None) is False


def test_a_record_that_expired_and_was_not_swept_is_followed_by_version_one(
    stores: Stores, key: StateKey, clock: Clock
) -> None:
    stores.state.put(a_state(key, clock(), expires_at=clock() + SOON), None)

    clock.now += SOON
    with pytest.raises(VersionMismatch):
        stores.state.put(a_state(key, clock(), version=2), None)
    stores.state.put(a_state(key, clock(), data={"new": True}), None)

    assert stores.state.get(key, clock()) == a_state(key, clock(), data={"new": True})


def test_an_update_keeps_what_it_does_not_mention(stores: Stores, key: StateKey, clock: Clock) -> None:
    annotations = {"user_id": "ana", "metadata": {"a": 1}}
    first = replace(a_state(key, clock(), expires_at=clock() + SOON), annotations=annotations)
    stores.state.put(first, None)

    clock.turn(seconds=1)
    updated = stores.state.update(a_change(key, clock(), 2, annotations={"metadata": {"b": 2}}))

    assert updated == stores.state.get(key, clock())
    assert (updated.version, updated.data) == (2, {"step": 2})
    assert (updated.created_at, updated.updated_at, updated.expires_at) == (
        first.created_at,
        clock(),
        first.expires_at,
    )
    assert updated.annotations == {"user_id": "ana", "metadata": {"b": 2}}


def test_an_update_may_move_the_expiry(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock()), None)

    stores.state.update(a_change(key, clock(), 2, expires_at=clock() + SOON))

    assert stores.state.get(key, clock() + SOON) is None


def test_an_update_of_another_version_tells_the_current_one(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock()), None)

    with pytest.raises(VersionMismatch) as refused:
        stores.state.update(a_change(key, clock(), version=3))

    assert refused.value.current == a_state(key, clock())


def test_a_deleted_record_is_gone_and_cannot_be_deleted_again(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock()), None)

    assert stores.state.delete(key, clock(), None) is True
    assert stores.state.get(key, clock()) is None
    assert stores.state.delete(key, clock(), None) is False
    stores.state.put(a_state(key, clock()), None)


def test_ids_that_look_alike_in_a_key_never_meet(stores: Stores, tenant: str, clock: Clock) -> None:
    names = ["a", "a#b", "b", "a%23b", "%", "%h", "#", "a#", "#b", "x" * 200, "x" * 256, "#" * 256, "🦄", "שלום"]
    keys = [StateKey(tenant, agent, session) for agent in names for session in names]
    for place, each in enumerate(keys):
        stores.state.put(a_state(each, clock(), data={"place": place}), None)

    found = [stores.state.get(each, clock()) for each in keys]

    assert [state and state.data and state.data["place"] for state in found] == list(range(len(keys)))
    for name in names:
        walked = [session for _, session in stores.state.sessions(tenant, name, None, clock(), Unlimited())]
        assert sorted(session.session_id for session in walked if session) == sorted(names)


def test_sessions_are_listed_after_a_position_and_expired_ones_without_their_name(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    written_at = [clock.turn(seconds=1) for _ in range(6)]
    for number in range(6):
        expires_at = clock() + SOON if number == 4 else None
        key = StateKey(tenant, "planner", f"s{number}")
        stores.state.put(a_state(key, written_at[number], expires_at=expires_at), None)

    first = list(stores.state.sessions(tenant, "planner", None, clock() + SOON, Unlimited()))
    rest = list(stores.state.sessions(tenant, "planner", first[2][0], clock() + SOON, Unlimited()))

    listed = [Session(f"s{number}", at) for number, at in enumerate(written_at)]
    assert [session for _, session in first] == [*listed[:4], None, listed[5]]
    assert rest == first[3:]


def test_a_long_list_of_sessions_stops_where_the_budget_does(stores: Stores, tenant: str, clock: Clock) -> None:
    noise = parse('["' + "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(12_000)) + '"]')
    names = [f"s{number:03}" for number in range(120)]
    for name in names:
        stores.state.put(a_state(StateKey(tenant, "planner", name), clock(), data={"noise": noise}), None)

    found: list[str] = []
    walk = stores.state.sessions(tenant, "planner", None, clock(), Pages(1))
    with pytest.raises(ScanBudgetSpent):
        found.extend(session.session_id for _, session in walk if session)

    assert 0 < len(found) < 120
    assert found == names[: len(found)]


def test_an_answer_is_kept_exactly_when_its_write_happened(stores: Stores, key: StateKey, clock: Clock) -> None:
    with pytest.raises(VersionMismatch):
        stores.state.put(a_state(key, clock(), version=2), a_record(key.tenant_id, clock()))
    stores.state.put(a_state(key, clock()), a_record(key.tenant_id, clock()))

    with pytest.raises(AlreadyAnswered) as again:
        stores.state.put(a_state(key, clock(), version=2), a_record(key.tenant_id, clock()))

    assert again.value.stored == a_record(key.tenant_id, clock())
    assert stores.state.get(key, clock()) == a_state(key, clock())


def test_a_repeated_delete_hears_its_first_answer(stores: Stores, key: StateKey, clock: Clock) -> None:
    stores.state.put(a_state(key, clock()), None)
    record = a_record(key.tenant_id, clock())

    assert stores.state.delete(key, clock(), record) is True
    stores.state.put(a_state(key, clock()), None)
    with pytest.raises(AlreadyAnswered):
        stores.state.delete(key, clock(), record)

    assert stores.state.get(key, clock())
