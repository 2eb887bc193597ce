"""What every idempotency store promises."""

from datetime import timedelta

import pytest

from agent_memory.domain.idempotency import (
    KEEP,
    LEASE,
    AlreadyAnswered,
    Answer,
    IdempotencyRecord,
    begin,
    first_answer,
)
from agent_memory.errors import Conflict, InProgress, InvalidRequest
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock

TICK = timedelta(microseconds=1)


def request(
    tenant: str, clock: Clock, key: str = "k", body: bytes = b"{}", route: str = "POST /v1/x"
) -> IdempotencyRecord:
    return begin(tenant, route, key, body, clock())


def test_a_kept_answer_is_given_again_until_24_hours_have_passed(stores: Stores, tenant: str, clock: Clock) -> None:
    first = request(tenant, clock).answered(201, '{"n":1.0}')
    stores.idempotency.put(first, clock())

    clock.now += KEEP - TICK
    with pytest.raises(AlreadyAnswered) as again:
        stores.idempotency.put(request(tenant, clock).answered(201, '{"n":2}'), clock())
    assert first_answer(again.value.stored, request(tenant, clock)) == Answer(201, '{"n":1.0}')

    clock.now += TICK
    stores.idempotency.put(request(tenant, clock).answered(201, '{"n":2}'), clock())


def test_an_answer_without_a_body_is_kept(stores: Stores, tenant: str, clock: Clock) -> None:
    stores.idempotency.put(request(tenant, clock).answered(204, None), clock())

    with pytest.raises(AlreadyAnswered) as again:
        stores.idempotency.put(request(tenant, clock), clock())

    assert again.value.stored.answer == Answer(204, None)


def test_other_keys_routes_and_tenants_are_other_requests(stores: Stores, tenant: str, clock: Clock) -> None:
    stores.idempotency.put(request(tenant, clock).answered(201, None), clock())

    for other in (
        request(tenant, clock, key="other"),
        request(tenant, clock, route="PUT /v1/x"),
        request(f"{tenant}-2", clock),
    ):
        stores.idempotency.put(other.answered(201, None), clock())


def test_the_same_key_with_another_body_is_a_conflict(tenant: str, clock: Clock) -> None:
    kept = request(tenant, clock).answered(201, None)

    with pytest.raises(Conflict, match="another request"):
        first_answer(kept, request(tenant, clock, body=b"other"))


def test_a_running_request_is_in_progress_for_others(stores: Stores, tenant: str, clock: Clock) -> None:
    stores.idempotency.claim(request(tenant, clock), clock())

    clock.now += LEASE - TICK
    with pytest.raises(AlreadyAnswered) as running:
        stores.idempotency.claim(request(tenant, clock), clock())

    with pytest.raises(InProgress) as answer:
        first_answer(running.value.stored, request(tenant, clock))
    assert answer.value.retry_after_s == 1


def test_a_claim_of_an_attempt_that_died_is_taken_over_with_its_start(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    started_at = clock()
    stores.idempotency.claim(request(tenant, clock), clock())

    clock.now += LEASE
    taken = stores.idempotency.claim(request(tenant, clock), clock())

    assert taken.started_at == started_at
    with pytest.raises(AlreadyAnswered):
        stores.idempotency.claim(request(tenant, clock), clock())


def test_a_lapsed_claim_is_not_free_for_another_body(stores: Stores, tenant: str, clock: Clock) -> None:
    stores.idempotency.claim(request(tenant, clock), clock())

    clock.now += LEASE
    with pytest.raises(AlreadyAnswered):
        stores.idempotency.claim(request(tenant, clock, body=b"other"), clock())
    with pytest.raises(AlreadyAnswered):
        stores.idempotency.put(request(tenant, clock).answered(400, None), clock())


def test_a_released_claim_is_taken_over_at_once_with_its_start(stores: Stores, tenant: str, clock: Clock) -> None:
    started_at = clock()
    claimed = stores.idempotency.claim(request(tenant, clock), clock())
    clock.turn(seconds=1)

    stores.idempotency.release(claimed, clock())

    assert stores.idempotency.claim(request(tenant, clock), clock()).started_at == started_at


def test_a_finished_claim_answers_every_repetition(stores: Stores, tenant: str, clock: Clock) -> None:
    claimed = stores.idempotency.claim(request(tenant, clock), clock())
    stores.idempotency.finish(claimed.answered(200, '{"results":[]}'))

    clock.now += LEASE
    with pytest.raises(AlreadyAnswered) as again:
        stores.idempotency.claim(request(tenant, clock), clock())

    assert first_answer(again.value.stored, request(tenant, clock)) == Answer(200, '{"results":[]}')


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_must_have_1_to_255_characters(tenant: str, clock: Clock, key: str) -> None:
    with pytest.raises(InvalidRequest):
        request(tenant, clock, key=key)


@pytest.mark.parametrize("key", ["x", "x" * 255, "a\nb", "#", "é"])
def test_any_other_key_is_taken(stores: Stores, tenant: str, clock: Clock, key: str) -> None:
    stores.idempotency.put(request(tenant, clock, key=key).answered(201, None), clock())
