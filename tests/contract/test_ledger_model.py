"""The ledger against a model of a few lines: claims, completions and time in any order, by agents that may be stale."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.tool_calls import CallKey, Completion, NewClaim, ToolCall
from agent_memory.errors import Conflict, InProgress, NotFound
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock

CALLS = ("a", "b")
OUTCOMES: list[dict[str, Any]] = [{"result": 1}, {"result": 2}, {"error": 1}, {"error": None}]


@dataclass
class Model:
    """What a call is in: nothing, claimed until then, or ended."""

    claim: str | None = None
    until: datetime | None = None
    ended: dict[str, Any] | None = None
    attempts: int = 0
    results: int = 0

    def claimed(self, now: datetime) -> str:
        """What a claim comes to."""
        if self.ended and "result" in self.ended:
            return "told"
        free = self.until is None or self.ended is not None or self.until <= now
        return "claimed" if free else "in progress"

    def completed(self, claim: str | None, outcome: dict[str, Any]) -> str:
        """What a completion comes to."""
        if self.claim is None:
            return "absent"
        if claim not in (None, self.claim):
            return "conflict"
        if self.ended is None:
            return "recorded"
        return "told" if self.ended == outcome else "conflict"


class Machine(RuleBasedStateMachine):
    """Two calls of a run; `stores` comes with a subclass."""

    stores: Stores
    claims: Bundle[tuple[str, str]] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ledger = self.stores.tool_calls(self.clock)
        self.run = f"run-{secrets.token_hex(6)}"
        self.models = {name: Model() for name in CALLS}

    def key(self, name: str) -> CallKey:
        return CallKey("acme", self.run, name)

    @rule(target=claims, name=st.sampled_from(CALLS), lease_s=st.integers(1, 30), agent=st.sampled_from("xyz"))
    def claim(self, name: str, lease_s: int, agent: str) -> Any:
        model, expected = self.models[name], self.models[name].claimed(self.clock())
        new = NewClaim(agent_id=agent, tool="t", arguments_hash="h", lease_s=lease_s)
        if expected == "in progress":
            with pytest.raises(InProgress) as refused:
                self.ledger.claim(self.key(name), new, Attempt())
            assert model.until
            assert timedelta(seconds=refused.value.retry_after_s or 0) >= model.until - self.clock()
            return multiple()
        call, is_claimed = self.ledger.claim(self.key(name), new, Attempt())
        assert expected == ("claimed" if is_claimed else "told")
        if not is_claimed:
            assert model.ended == {"result": call.outcome}
            return multiple()
        model.claim, model.until, model.ended = call.claim_id, call.lease_until, None
        model.attempts += 1
        assert call.attempt == model.attempts
        return name, call.claim_id

    @rule(claim=claims, outcome=st.sampled_from(OUTCOMES))
    def complete_as_holder(self, claim: tuple[str, str], outcome: dict[str, Any]) -> None:
        self.complete(*claim, outcome)

    @rule(name=st.sampled_from(CALLS), outcome=st.sampled_from(OUTCOMES))
    def complete_as_anybody(self, name: str, outcome: dict[str, Any]) -> None:
        self.complete(name, None, outcome)

    def complete(self, name: str, claim: str | None, outcome: dict[str, Any]) -> None:
        model, expected = self.models[name], self.models[name].completed(claim, outcome)
        try:
            self.ledger.complete(self.key(name), Completion(claim_id=claim, **outcome), Attempt())
        except NotFound:
            assert expected == "absent"
        except Conflict:
            assert expected == "conflict"
        else:
            assert expected in {"recorded", "told"}
            if expected == "recorded":
                model.ended = outcome
                model.results += "result" in outcome

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.clock.turn(seconds=seconds)

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        for name, model in self.models.items():
            stored: ToolCall | None = self.stores.tools.get(self.key(name))
            assert model.results <= 1
            if stored is None:
                assert model.claim is None
                continue
            assert (stored.claim_id, stored.attempt) == (model.claim, model.attempts)
            ended = None if stored.status == "claimed" else stored.recorded()
            assert ended == (None if model.ended is None else {"result": None, "error": None} | model.ended)


def test_any_order_of_claims_completions_and_time_ends_as_the_model_does(stores: Stores) -> None:
    chosen = settings(max_examples=60, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(type("Bound", (Machine,), {"stores": stores}), settings=chosen)
