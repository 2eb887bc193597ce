"""The ledger over stores in memory and over DynamoDB: who may run a call, and what is recorded of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, Attempt, begin
from agent_memory.domain.tool_calls import CallChanged, CallKey, Completion, NewClaim, ToolCall
from agent_memory.errors import Conflict, InProgress, InvalidRequest, NotFound
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock

TICK = timedelta(microseconds=1)


@pytest.fixture
def key(tenant: str) -> CallKey:
    return CallKey(tenant, "run-1", "call-1")


class Ledger:
    """The use case over one call."""

    def __init__(self, stores: Stores, key: CallKey, clock: Clock) -> None:
        self.stores, self.key, self.clock = stores, key, clock
        self.service = stores.tool_calls(clock)

    def claim(self, agent: str = "planner", idempotency: str | None = None, **fields: Any) -> tuple[ToolCall, bool]:
        new = {"agent_id": agent, "tool": "search", "arguments_hash": "abc", "lease_s": 60, **fields}
        return self.service.claim(self.key, NewClaim(**new), self._attempt(idempotency))

    def complete(self, idempotency: str | None = None, **fields: Any) -> ToolCall:
        return self.service.complete(self.key, Completion(**fields), self._attempt(idempotency))

    def _attempt(self, key: str | None) -> Attempt:
        return Attempt(begin(self.key.tenant_id, "r", key, b"", self.clock()) if key else None)


@pytest.fixture
def ledger(stores: Stores, key: CallKey, clock: Clock) -> Ledger:
    return Ledger(stores, key, clock)


def test_a_claimed_call_is_read_as_it_was_written(ledger: Ledger, clock: Clock) -> None:
    told: dict[str, Any] = {"session_id": "s", "user_id": "ana", "metadata": {"a": 1}, "ttl_hours": 1.0}
    call, is_claimed = ledger.claim(**told)

    assert is_claimed
    assert (call.status, call.attempt, call.lease_until) == ("claimed", 1, clock() + timedelta(seconds=60))
    assert ledger.stores.tools.get(ledger.key) == call
    done = ledger.complete(result={"found": [1, None]}, claim_id=call.claim_id, trust="tool_external")
    assert ledger.stores.tools.get(ledger.key) == done
    assert done.response()["result"] == {"found": [1, None]}
    assert done.annotations == {"user_id": "ana", "metadata": {"a": 1}, "trust": "tool_external"}
    assert (done.expires_at, done.completed_at) == (clock() + timedelta(hours=1), clock())


def test_while_a_lease_runs_nobody_else_may_run_the_call(ledger: Ledger, clock: Clock) -> None:
    ledger.claim()
    clock.turn(seconds=20.5)

    for agent in ("planner", "critic"):
        with pytest.raises(InProgress) as refused:
            ledger.claim(agent)
        assert refused.value.retry_after_s == 40


def test_a_lease_that_ran_out_may_be_claimed_by_anybody_and_its_holder_is_too_late(
    ledger: Ledger, clock: Clock
) -> None:
    first, _ = ledger.claim()
    clock.now = first.lease_until - TICK
    with pytest.raises(InProgress):
        ledger.claim("critic")

    clock.now = first.lease_until
    second, is_claimed = ledger.claim("critic")

    assert is_claimed
    assert (second.attempt, second.agent_id) == (2, "critic")
    assert second.claim_id != first.claim_id
    with pytest.raises(Conflict) as refused:
        ledger.complete(result=1, claim_id=first.claim_id)
    assert refused.value.details == {"attempt": 2, "status": "claimed"}
    assert ledger.complete(result=2, claim_id=second.claim_id).outcome == 2


def test_a_holder_whose_lease_ran_out_still_completes_while_nobody_claimed_the_call(
    ledger: Ledger, clock: Clock
) -> None:
    first, _ = ledger.claim()
    clock.turn(hours=1)

    assert ledger.complete(result=None, claim_id=first.claim_id).status == "done"


def test_a_result_is_for_good_and_heard_by_all_who_come_later(ledger: Ledger, clock: Clock) -> None:
    ledger.claim()
    done = ledger.complete(result={"found": 1})
    clock.turn(days=365)

    assert ledger.claim("critic") == (done, False)
    assert ledger.complete(result={"found": 1}) == done
    others: tuple[dict[str, Any], ...] = ({"result": {"found": 2}}, {"error": {"found": 1}})
    for other in others:
        with pytest.raises(Conflict) as refused:
            ledger.complete(**other)
        assert refused.value.details == {"status": "done", "attempt": 1, "result": {"found": 1}, "error": None}
    assert ledger.stores.tools.get(ledger.key) == done


def test_an_error_lets_the_call_be_claimed_again(ledger: Ledger) -> None:
    first, _ = ledger.claim()
    failed = ledger.complete(error="timed out", claim_id=first.claim_id)
    assert ledger.complete(error="timed out") == failed
    with pytest.raises(Conflict):
        ledger.complete(result=1)

    second, is_claimed = ledger.claim("critic")

    assert is_claimed
    assert (second.attempt, second.status, second.outcome) == (2, "claimed", None)
    with pytest.raises(Conflict):
        ledger.complete(error="timed out", claim_id=first.claim_id)
    assert ledger.complete(result=1).attempt == 2


@pytest.mark.parametrize("other", [{"tool": "delete"}, {"arguments_hash": "abd"}])
def test_a_call_has_one_tool_and_one_set_of_arguments(ledger: Ledger, clock: Clock, other: dict[str, str]) -> None:
    def refused() -> None:
        with pytest.raises(Conflict) as told:
            ledger.claim(**other)
        assert not isinstance(told.value, InProgress)
        assert told.value.details == {"fields": list(other)}

    call, _ = ledger.claim()
    refused()
    clock.now = call.lease_until
    refused()
    ledger.complete(result=1)
    refused()


def test_what_nobody_claimed_cannot_be_completed(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger.complete(result=1)


def test_a_call_that_expired_was_never_made(ledger: Ledger, clock: Clock) -> None:
    first, _ = ledger.claim(ttl_hours=1.0)
    clock.turn(hours=1)
    with pytest.raises(NotFound):
        ledger.complete(result=1)

    again, is_claimed = ledger.claim(tool="another")

    assert is_claimed
    assert again.attempt == 1
    assert first.claim_id != again.claim_id
    with pytest.raises(InvalidRequest):
        Ledger(ledger.stores, CallKey("t", "r", "short"), clock).claim(ttl_hours=0.01)


def test_of_two_who_judged_the_same_record_one_writes(stores: Stores, ledger: Ledger, key: CallKey) -> None:
    first, _ = ledger.claim()
    failed = ledger.complete(error=1)
    with pytest.raises(CallChanged) as refused:  # whoever took the lease to have run out, or has another outcome
        stores.tools.put(replace(first, attempt=2), first, None)
    assert refused.value.current == failed

    second, _ = ledger.claim()
    for stale in (None, first, failed):
        with pytest.raises(CallChanged) as refused:
            stores.tools.put(first, stale, None)
        assert refused.value.current == second
    assert stores.tools.get(key) == second


def test_a_used_idempotency_key_writes_nothing_and_a_lost_claim_is_told_again(
    ledger: Ledger, clock: Clock, stores: Stores
) -> None:
    call, _ = ledger.claim(idempotency="k")
    with pytest.raises(AlreadyAnswered):
        ledger.claim(idempotency="k")
    with pytest.raises(InProgress):
        ledger.claim(idempotency="another")
    ledger.complete("c", result=1)
    for again in ("c", "d"):
        if again == "c":
            with pytest.raises(AlreadyAnswered):
                ledger.complete(again, result=1)
        else:
            assert ledger.complete(again, result=1).claim_id == call.claim_id
    with pytest.raises(AlreadyAnswered):
        ledger.complete("d", result=1)
    assert ledger.claim(idempotency="e")[1] is False
    with pytest.raises(AlreadyAnswered):
        ledger.claim(idempotency="e")


@pytest.mark.parametrize("keyed", [False, True])
def test_bytes_are_counted_as_the_call_grows(ledger: Ledger, stores: Stores, clock: Clock, keyed: bool) -> None:
    small = ledger.claim("planner", "1" if keyed else None)[0]
    claimed = stores.tally.taken().dynamo_bytes
    ledger.complete("2" if keyed else None, error="".join(chr(0x4E00 + n) for n in range(3000)))
    grown = stores.tally.taken().dynamo_bytes
    ledger.claim("planner", "3" if keyed else None)
    shrunk = stores.tally.taken()

    assert claimed > 0
    assert grown > 3000
    assert -20 < claimed - (claimed + grown + shrunk.dynamo_bytes) < 20
    assert shrunk.touched == {("planner", None): None}
    assert small.attempt == 1
