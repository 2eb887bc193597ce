"""What stores of counters, limits and API keys promise where limits and revocations are at stake."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.domain.claims import WINDOW_SECOND, WINDOW_TAKEN, Claim, ClaimRefused, claimed
from agent_memory.domain.idempotency import AlreadyAnswered, begin
from agent_memory.domain.limits import Limits
from agent_memory.domain.windows import Step
from agent_memory.errors import RateLimited
from agent_memory.service.admission import Admission
from agent_memory.service.credit import Credit
from agent_memory.service.usage import Waiting
from tests.contract.conftest import Stores
from tests.contract.test_control import an_api_key
from tests.fakes.clock import Clock

COUNTS = st.dictionaries(st.sampled_from(["vectors", "dynamo_bytes", "api_calls:2026-11"]), st.integers(-9, 9))
STEPS = st.builds(
    Step,
    st.sampled_from(["open", "join", "replace"]),
    st.integers(0, 4),
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(0, 4),
)
CLAIMS = st.builds(
    Claim, COUNTS, st.dictionaries(st.sampled_from(["vectors", "new"]), st.integers(0, 9)), st.none() | STEPS
).filter(lambda claim: claim.counts or claim.step)


@given(claims=st.lists(CLAIMS, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_claims_do_what_the_rule_says(stores: Stores, tenant: str, claims: list[Claim]) -> None:
    tenant = f"{tenant}-{secrets.token_hex(6)}"  # another one for each example
    expected: dict[str, int] = {}
    for claim in claims:
        try:
            expected = claimed(expected, claim)
        except ClaimRefused:
            with pytest.raises(ClaimRefused) as refused:
                stores.usage.claim(tenant, claim)
            assert dict(refused.value.counters) == expected
        else:
            assert stores.usage.claim(tenant, claim) == expected
        assert dict(stores.usage.get(tenant)) == expected


def test_a_claim_tells_what_stands_there_afterwards(stores: Stores, tenant: str) -> None:
    stores.usage.add(tenant, {"vectors": 5, "sessions": 1})

    after = stores.usage.claim(tenant, Claim({"vectors": 2}, {"vectors": 7}, Step("open", 10, 3, 5)))
    joined = stores.usage.claim(tenant, Claim({"vectors": 0}, step=Step("join", 10, 2, 5)))

    assert after == {"vectors": 7, "sessions": 1, WINDOW_SECOND: 10, WINDOW_TAKEN: 3}
    assert joined == {**after, WINDOW_TAKEN: 5}


def test_functions_that_ask_at_the_same_time_serve_no_request_too_many(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    functions = [stores.another() for _ in range(8)]
    limits = Limits(requests_per_second=40, requests_per_month=90)

    def serve(function: Stores) -> int:
        admission, served = Admission(function.usage, Waiting(), Credit(clock()), clock), 0
        for _ in range(30):
            try:
                admission.take(tenant, limits)
                served += 1
            except RateLimited:
                pass
        return served

    for expected in (40, 40, 10, 0):
        clock.turn(seconds=1)
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(serve, functions)) == expected
    assert stores.usage.get(tenant)["api_calls:2026-11"] == 90


def test_a_tenants_own_limits_are_set_and_dropped_one_by_one(stores: Stores, tenant: str) -> None:
    assert stores.limits.get(tenant) == {}

    stores.limits.change(tenant, {"vectors": 5, "stored_bytes": None}, set())
    stores.limits.change(tenant, {"requests_per_second": 0}, {"vectors"})

    assert stores.limits.get(tenant) == {"stored_bytes": None, "requests_per_second": 0}
    assert stores.limits.get(f"{tenant}-2") == {}
    stores.limits.change(tenant, {}, {"stored_bytes", "requests_per_second"})
    assert stores.limits.get(tenant) == {}


def test_a_key_and_the_answer_to_its_request_are_stored_together(stores: Stores, tenant: str, clock: Clock) -> None:
    first, second = an_api_key(tenant, clock), an_api_key(tenant, clock)
    answer = begin(tenant, "POST /v1/keys", "k", b"{}", clock()).answered(201, "{}")
    stores.api_keys.add(first, answer)

    with pytest.raises(AlreadyAnswered):
        stores.api_keys.add(second, answer)

    assert stores.api_keys.get(first.key_id) == first
    assert stores.api_keys.get(second.key_id) is None


def test_a_key_is_revoked_by_its_own_tenant_only(stores: Stores, tenant: str, clock: Clock) -> None:
    key = an_api_key(tenant, clock)
    stores.api_keys.add(key)
    answer = begin(tenant, "DELETE /v1/keys/{key_id}", "k", b"", clock()).answered(204, None)

    assert not stores.api_keys.revoke(key.key_id, clock(), f"{tenant}-2")
    assert stores.api_keys.get(key.key_id) == key
    assert stores.api_keys.revoke(key.key_id, clock(), tenant, answer)
    with pytest.raises(AlreadyAnswered):
        stores.api_keys.revoke(key.key_id, clock(), tenant, answer)
    assert stores.api_keys.get(key.key_id) == replace(key, revoked_at=clock())


def test_a_key_can_be_given_an_end_and_never_a_later_one(stores: Stores, tenant: str, clock: Clock) -> None:
    key = an_api_key(tenant, clock)
    stores.api_keys.add(key)
    soon, later = clock() + timedelta(hours=1), clock() + timedelta(hours=2)

    for at, end in ((later, later), (soon, soon), (later, soon)):
        assert stores.api_keys.expire(key.key_id, at)
        assert stores.api_keys.get(key.key_id) == replace(key, expires_at=end)
    assert not stores.api_keys.expire("0" * 16, soon)


def test_uses_are_noted_an_hour_apart_and_make_no_key(stores: Stores, tenant: str, clock: Clock) -> None:
    key = an_api_key(tenant, clock)
    stores.api_keys.add(key)
    first = clock()

    for minutes, noted in ((0, first), (59, first), (1, first + timedelta(hours=1))):
        stores.api_keys.note_use(key.key_id, clock.turn(minutes=minutes))
        assert stores.api_keys.get(key.key_id) == replace(key, last_used_at=noted)
    stores.api_keys.note_use("0" * 16, clock())
    assert stores.api_keys.get("0" * 16) is None
