"""Working memory over every state store: versions, races and expiry."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import parse
from agent_memory.domain.state import NewState, State, StateKey, StatePatch, StateReplacement
from agent_memory.errors import Conflict, NotFound, PayloadTooLarge
from agent_memory.service.working import WorkingMemory
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock

RUNNERS = 20
KEY = b"key"


def create(memory: WorkingMemory, tenant: str, data: Any = None, **fields: Any) -> State:
    return memory.create(tenant, NewState(agent_id="planner", data=data or {}, **fields), Attempt(), KEY)


def put(memory: WorkingMemory, tenant: str, version: int, data: Any = None, **fields: Any) -> State:
    return memory.replace(
        tenant, "planner", StateReplacement(data=data or {}, version=version, **fields), Attempt(), KEY
    )


def read(memory: WorkingMemory, tenant: str) -> State:
    return memory.get(StateKey(tenant, "planner", "default"))


def test_a_post_over_an_existing_record_increments_and_never_resets(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    first = create(memory, tenant)
    put(memory, tenant, 1)
    clock.turn(seconds=1)

    third = create(memory, tenant, {"third": True})

    assert (third.version, third.created_at, third.updated_at) == (3, first.created_at, clock())
    assert read(memory, tenant) == third


def test_a_post_without_an_expiry_removes_one_and_a_put_keeps_it(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    expires_at = create(memory, tenant, ttl_hours=1).expires_at

    assert put(memory, tenant, 1).expires_at == expires_at
    assert create(memory, tenant).expires_at is None


def test_an_expired_record_begins_again_at_version_one(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    create(memory, tenant, ttl_hours=1)
    put(memory, tenant, 1)
    clock.turn(hours=1)

    with pytest.raises(NotFound):
        read(memory, tenant)
    with pytest.raises(NotFound):
        put(memory, tenant, 2)
    again = create(memory, tenant)

    assert (again.version, again.created_at) == (1, clock())


def test_of_twenty_writers_of_one_version_one_wins(stores: Stores, tenant: str, clock: Clock) -> None:
    create(stores.working(clock), tenant)
    functions = [stores.another().working(clock) for _ in range(RUNNERS)]

    def write(runner: int) -> object:
        try:
            return put(functions[runner], tenant, 1, {"runner": runner})
        except Conflict as exc:
            return exc.details

    with ThreadPoolExecutor(RUNNERS) as pool:
        outcomes = list(pool.map(write, range(RUNNERS)))

    winners = [each for each in outcomes if isinstance(each, State)]
    assert winners == [read(stores.working(clock), tenant)]
    assert outcomes.count({"current_version": 2}) == RUNNERS - 1


def test_racing_posts_each_get_a_version_of_their_own(stores: Stores, tenant: str, clock: Clock) -> None:
    functions = [stores.another().working(clock) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda memory: create(memory, tenant).version, functions))

    assert sorted(versions) == list(range(1, 9))


def test_racing_patches_lose_nothing(stores: Stores, tenant: str, clock: Clock) -> None:
    create(stores.working(clock), tenant)
    functions = [stores.another().working(clock) for _ in range(8)]

    def patch(runner: int) -> None:
        for step in range(3):
            body = StatePatch(data={f"{runner}-{step}": True})
            functions[runner].patch(tenant, "planner", body, Attempt())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(patch, range(8)))

    final = read(stores.working(clock), tenant)
    assert final.data == {f"{runner}-{step}": True for runner in range(8) for step in range(3)}
    assert final.version == 25


def test_a_patch_of_a_stale_version_is_refused_with_the_current_one(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    create(memory, tenant, {"a": 1, "b": {"c": 1}})
    patched = memory.patch(tenant, "planner", StatePatch(data={"a": None, "b": {"d": 2}}, version=1), Attempt())

    with pytest.raises(Conflict) as refused:
        memory.patch(tenant, "planner", StatePatch(data={}, version=1), Attempt())

    assert patched.data == {"b": {"c": 1, "d": 2}}
    assert refused.value.details == {"current_version": 2}


def test_nothing_can_be_replaced_patched_or_deleted_where_nothing_lives(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    memory = stores.working(clock)

    with pytest.raises(NotFound):
        put(memory, tenant, 1)
    with pytest.raises(NotFound):
        memory.patch(tenant, "planner", StatePatch(data={}), Attempt())
    with pytest.raises(NotFound):
        memory.delete(StateKey(tenant, "planner", "default"), Attempt())


def test_a_session_of_one_user_refuses_another(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    create(memory, tenant, user_id="ana")
    create(memory, tenant)  # naming nobody is not naming somebody else

    for warm in (memory, stores.another().working(clock)):
        with pytest.raises(Conflict, match="another user"):
            create(warm, tenant, user_id="bob")
        with pytest.raises(Conflict, match="another user"):
            put(warm, tenant, 2, user_id="bob")


def test_a_write_that_finds_nothing_binds_no_session_to_its_user(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    patch = StatePatch(data={}, user_id="ana")
    with pytest.raises(NotFound):
        put(memory, tenant, 1, user_id="ana")
    with pytest.raises(NotFound):
        memory.patch(tenant, "planner", patch, Attempt())

    assert create(memory, tenant, user_id="ben").annotations == {"user_id": "ben"}
    with pytest.raises(Conflict):
        put(memory, tenant, 1, user_id="ana")


def test_patches_cannot_add_up_to_a_state_that_no_answer_can_carry(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    create(memory, tenant, {"a": "a" * 2_400_000})

    with pytest.raises(PayloadTooLarge):
        memory.patch(tenant, "planner", StatePatch(data={"b": "b" * 2_400_000}), Attempt())

    body = read(memory, tenant).body
    assert body
    assert parse(stores.bodies.behind(str(body.url)).decode()) == {"a": "a" * 2_400_000}
    assert len(stores.bodies.objects) == 1


def test_sessions_are_walked_exactly_once_while_they_are_updated(stores: Stores, tenant: str, clock: Clock) -> None:
    memory = stores.working(clock)
    names = [f"s{number:02}" for number in range(30)]
    for name in names:
        create(memory, tenant, session_id=name)

    found: list[str] = []
    cursor = None
    while True:
        page, cursor = memory.sessions(tenant, "planner", 7, cursor, b"key")
        found += [item.strip('"') for item in page.items]
        for name in names[::3]:
            create(memory, tenant, session_id=name)
        if cursor is None:
            break

    assert found == names
