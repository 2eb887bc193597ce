"""Twenty agents race for a thousand tool calls while some die between claim and outcome: each call completes once."""

import random
import secrets
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.tool_calls import CallKey, Completion, NewClaim, ToolCall
from agent_memory.errors import Conflict, InProgress
from agent_memory.service.subjects import Subjects
from agent_memory.service.tool_calls import ToolCalls
from tests.contract.conftest import Stores, in_memory, on_dynamodb

AGENTS = 20
_FAST = 50  # a lease of a second is over in a fiftieth of one
_DIE, _LATE = 0.05, 0.02  # so many claims are never completed, and so many after their lease


class Race:
    """What the agents share: the calls, and a witness of what was done outside the ledger."""

    def __init__(self, calls: int) -> None:
        self.run, self.calls = f"run-{secrets.token_hex(6)}", calls
        self.starts: list[ToolCall] = []  # appending is atomic
        self.taken: list[tuple[int, str]] = []
        self.refused: list[tuple[int, str]] = []
        self._began = time.monotonic()

    def now(self) -> datetime:
        """A clock that runs fast."""
        return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=(time.monotonic() - self._began) * _FAST)

    def key(self, call: int) -> CallKey:
        """Names a call of the run."""
        return CallKey("acme", self.run, f"call-{call}")


class Agent:
    """An agent with a function of its own."""

    def __init__(self, race: Race, stores: Stores, name: str) -> None:
        self._race, self._name = race, name
        self._random = random.Random(name)  # noqa: S311 - an order, not a secret
        self._ledger = ToolCalls(stores.tools, Subjects(stores.subjects), stores.idempotency, race.now)

    def work(self) -> None:
        """Try every call, in an order of its own, until all have ended."""
        left = self._random.sample(range(self._race.calls), self._race.calls)
        while left:
            left = [call for call in left if not self._has_ended(call)]

    def _has_ended(self, call: int) -> bool:
        new = NewClaim(agent_id=self._name, tool="pay", arguments_hash=f"{call}", lease_s=1)
        try:
            claimed, is_mine = self._ledger.claim(self._race.key(call), new, Attempt())
        except InProgress:
            return False
        if is_mine:
            self._race.starts.append(claimed)
            self._run(call, claimed.claim_id)
        return not is_mine

    def _run(self, call: int, claim_id: str) -> None:
        chance = self._random.random()
        if chance < _DIE:
            return  # killed: nobody ever says what came of it
        if chance < _DIE + _LATE:
            time.sleep(1.5 / _FAST)
        outcome = Completion(claim_id=claim_id, result=claim_id)
        try:
            self._ledger.complete(self._race.key(call), outcome, Attempt())
        except Conflict:
            self._race.refused.append((call, claim_id))
        else:
            self._race.taken.append((call, claim_id))


@pytest.mark.parametrize(("calls", "where"), [(1000, "memory"), (60, "dynamodb")])
def test_each_call_completes_once_whoever_dies(calls: int, where: str, request: pytest.FixtureRequest) -> None:
    first = in_memory() if where == "memory" else on_dynamodb(request.getfixturevalue("aws"))
    race = Race(calls)
    agents = [Agent(race, first.another(), f"agent-{number}") for number in range(AGENTS)]
    threads = [threading.Thread(target=agent.work) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    taken = dict(race.taken)
    assert sorted(taken) == list(range(calls))
    assert max(Counter(call for call, _ in race.taken).values()) == 1
    for call, claim_id in taken.items():
        stored = first.tools.get(race.key(call))
        assert stored
        assert (stored.status, stored.outcome, stored.claim_id) == ("done", claim_id, claim_id)
        starts = sorted((start for start in race.starts if start.key == race.key(call)), key=lambda each: each.attempt)
        assert [start.attempt for start in starts] == list(range(1, stored.attempt + 1))
        # Nobody starts a call while another's lease runs.
        assert all(one.lease_until <= next_one.claimed_at for one, next_one in pairwise(starts))
    assert len(race.starts) > calls  # else nobody died
