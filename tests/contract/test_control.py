"""What the stores of bound sessions, buckets and API keys promise."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from agent_memory.domain.api_key import ApiKey, new_key
from agent_memory.domain.buckets import Buckets
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock


def an_api_key(tenant: str, clock: Clock) -> ApiKey:
    return ApiKey(new_key()[0], tenant, "hash", 3, ("read", "write"), "", clock(), None)


def test_a_session_belongs_to_its_first_user(stores: Stores, tenant: str) -> None:
    assert stores.subjects.bind(tenant, "planner", "s", "ana") == "ana"
    assert stores.subjects.bind(tenant, "planner", "s", "bob") == "ana"
    assert stores.subjects.bind(tenant, "planner", "s", "ana") == "ana"


def test_other_agents_sessions_and_tenants_are_bound_apart(stores: Stores, tenant: str) -> None:
    for place, session in enumerate(
        [(tenant, "a", "s"), (tenant, "b", "s"), (tenant, "a", "s#"), (tenant, "a#s", "s"), (f"{tenant}-2", "a", "s")]
    ):
        assert stores.subjects.bind(*session, f"user {place}") == f"user {place}"


def test_whose_session_it_is_can_be_read_without_binding_it(stores: Stores, tenant: str) -> None:
    assert stores.subjects.bound(tenant, "planner", "s") is None
    assert stores.subjects.bind(tenant, "planner", "s", "ana") == "ana"
    assert stores.subjects.bound(tenant, "planner", "s") == "ana"
    for other in [(tenant, "other", "s"), (tenant, "planner", "t"), (f"{tenant}-2", "planner", "s")]:
        assert stores.subjects.bound(*other) is None


def test_of_users_that_race_for_a_session_one_wins(stores: Stores, tenant: str) -> None:
    functions = [stores.another() for _ in range(8)]

    def bind(place: int) -> str:
        return functions[place].subjects.bind(tenant, "planner", "s", f"user {place}")

    with ThreadPoolExecutor(8) as pool:
        winners = set(pool.map(bind, range(8)))

    assert len(winners) == 1


def test_an_agent_that_nobody_spread_has_one_bucket(stores: Stores, tenant: str) -> None:
    assert stores.buckets.get(tenant, "planner") == Buckets()


def test_a_growth_is_seen_by_the_next_function(stores: Stores, tenant: str, clock: Clock) -> None:
    eight = Buckets().grown(8, clock())
    sixteen = eight.grown(16, clock.turn(days=1))

    assert stores.buckets.grow(tenant, "planner", Buckets(), eight)
    assert stores.another().buckets.get(tenant, "planner") == eight
    assert stores.buckets.grow(tenant, "planner", eight, sixteen)
    assert stores.another().buckets.get(tenant, "planner") == sixteen
    assert stores.another().buckets.get(tenant, "critic") == Buckets()


def test_a_growth_of_an_outdated_plan_is_refused(stores: Stores, tenant: str, clock: Clock) -> None:
    eight, four = Buckets().grown(8, clock()), Buckets().grown(4, clock())
    stores.buckets.grow(tenant, "planner", Buckets(), eight)

    assert stores.buckets.grow(tenant, "planner", Buckets(), four) is False
    assert stores.buckets.grow(tenant, "planner", four, four.grown(16, clock())) is False
    assert stores.another().buckets.get(tenant, "planner") == eight


def test_an_api_key_is_read_as_it_was_stored(stores: Stores, tenant: str, clock: Clock) -> None:
    forever = an_api_key(tenant, clock)
    a_while = replace(an_api_key(tenant, clock), label="läptop #1", expires_at=clock() + timedelta(days=1))
    for key in (forever, a_while):
        stores.api_keys.add(key)

    assert stores.api_keys.get(forever.key_id) == forever
    assert stores.api_keys.get(a_while.key_id) == a_while
    assert stores.api_keys.get("0" * 16) is None


def test_a_second_revocation_keeps_the_time_of_the_first(stores: Stores, tenant: str, clock: Clock) -> None:
    key, first = an_api_key(tenant, clock), clock()
    stores.api_keys.add(key)

    assert stores.api_keys.revoke(key.key_id, first)
    assert stores.api_keys.revoke(key.key_id, clock.turn(hours=1))
    assert stores.api_keys.get(key.key_id) == replace(key, revoked_at=first)


def test_revoking_an_unknown_key_makes_none(stores: Stores, clock: Clock) -> None:
    unknown = new_key()[0]

    assert stores.api_keys.revoke(unknown, clock()) is False
    assert stores.api_keys.get(unknown) is None


def test_a_tenants_keys_are_listed_in_the_order_of_their_ids(stores: Stores, tenant: str, clock: Clock) -> None:
    keys = [an_api_key(tenant, clock) for _ in range(120)]
    for key in [*keys, an_api_key(f"{tenant}-2", clock)]:
        stores.api_keys.add(key)

    assert stores.api_keys.of_tenant(tenant) == sorted(keys, key=lambda key: key.key_id)
