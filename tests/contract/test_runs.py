"""What every store of runs promises, and what the use case makes of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord, begin
from agent_memory.domain.runs import MAX_STEP, Run, RunKey, Step
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.errors import PayloadTooLarge
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock
from tests.fakes.paging import Pages, Unlimited

SOON = timedelta(hours=1)


@pytest.fixture
def run(tenant: str) -> RunKey:
    return RunKey(tenant, "run-1")


def a_step(run: RunKey, number: int, now: datetime, **fields: Any) -> Step:
    step = Step(run, number, "planner", None, {"at": number}, "running", now, None, {})
    return replace(step, **fields)


def a_record(run: RunKey, now: datetime, key: str = "k") -> IdempotencyRecord:
    return begin(run.tenant_id, "PUT /v1/runs/{run_id}/steps/{step}", key, b"", now).answered(200, "{}")


def steps(stores: Stores, run: RunKey, now: datetime, after: int | None = None) -> list[Step | None]:
    return [step for _, step in stores.runs.steps(run, after, now, Unlimited())]


def runs(stores: Stores, run: RunKey, now: datetime, agent: str = "planner") -> list[Run]:
    return [found for _, found in stores.runs.runs(run.tenant_id, agent, None, now, Unlimited()) if found]


def test_steps_are_read_as_they_were_written_in_the_order_of_their_numbers(
    stores: Stores, run: RunKey, clock: Clock
) -> None:
    annotations = {"user_id": "ana", "purposes": ["support"], "metadata": {"a": None}, "trust": "inference"}
    written = [
        a_step(run, number, clock(), session_id="s", annotations=annotations, expires_at=clock() + SOON)
        for number in (10, 9, 0, MAX_STEP, 100_000_000)
    ]
    for step in written:
        stores.runs.put(step, None)

    assert steps(stores, run, clock()) == sorted(written, key=lambda step: step.number)
    assert steps(stores, run, clock(), after=10) == [written[4], written[3]]
    assert steps(stores, run, clock(), after=MAX_STEP) == []


def test_a_run_without_steps_is_none(stores: Stores, run: RunKey, clock: Clock) -> None:
    assert stores.runs.top(run, clock()) is None
    assert steps(stores, run, clock()) == []


def test_the_highest_step_says_in_which_status_its_run_is(stores: Stores, run: RunKey, clock: Clock) -> None:
    for number, status in ((3, "running"), (7, "waiting"), (5, "failed")):
        stores.runs.put(a_step(run, number, clock(), status=status), None)
    assert stores.runs.top(run, clock()) == Run(run, 7, "planner", "waiting", clock(), None)

    written_again = a_step(run, 7, clock.turn(seconds=1), status="done", agent_id="critic")
    stores.runs.put(written_again, None)

    assert stores.runs.top(run, clock()) == Run(run, 7, "critic", "done", clock(), None)
    assert runs(stores, run, clock()) == runs(stores, run, clock(), "critic") == [Run.at(written_again)]


def test_a_step_that_expired_is_absent_and_the_one_before_it_speaks_for_the_run(
    stores: Stores, run: RunKey, clock: Clock
) -> None:
    stores.runs.put(a_step(run, 1, clock(), status="waiting"), None)
    stores.runs.put(a_step(run, 2, clock(), status="done", expires_at=clock() + SOON), None)
    assert [found.number for found in runs(stores, run, clock())] == [2]

    clock.now += SOON

    assert [step and step.number for step in steps(stores, run, clock())] == [1, None]
    assert runs(stores, run, clock()) == [stores.runs.top(run, clock())]
    assert [(found.number, found.status) for found in runs(stores, run, clock())] == [(1, "waiting")]
    stores.runs.put(a_step(run, 0, clock(), status="failed"), None)
    assert [(found.number, found.status) for found in runs(stores, run, clock())] == [(1, "waiting")]


def test_a_run_of_which_every_step_expired_is_absent(stores: Stores, run: RunKey, clock: Clock) -> None:
    stores.runs.put(a_step(run, 1, clock(), expires_at=clock() + SOON), None)

    clock.now += SOON

    assert stores.runs.top(run, clock()) is None
    assert runs(stores, run, clock()) == []


def test_runs_are_listed_by_each_agent_that_wrote_a_step_and_after_a_position(
    stores: Stores, tenant: str, clock: Clock
) -> None:
    names = ["a", "a#b", "b", "%", "x" * 256, "#" * 256]
    for name in names:
        for agent in ("planner", "critic") if name == "b" else ("planner",):
            stores.runs.put(a_step(RunKey(tenant, name), 1, clock(), agent_id=agent), None)

    listed = list(stores.runs.runs(tenant, "planner", None, clock(), Unlimited()))
    rest = list(stores.runs.runs(tenant, "planner", listed[2][0], clock(), Unlimited()))

    assert sorted(found.key.run_id for _, found in listed if found) == sorted(names)
    assert [position for position, _ in listed] == sorted(position for position, _ in listed)
    assert rest == listed[3:]
    assert [found.key.run_id for found in runs(stores, RunKey(tenant, "b"), clock(), "critic")] == ["b"]
    assert runs(stores, RunKey("another", "b"), clock()) == []


def test_ids_that_look_alike_in_a_key_never_meet(stores: Stores, tenant: str, clock: Clock) -> None:
    names = ["a", "a#b", "b", "a%23b", "%", "#", "a#", "x" * 200, "x" * 256, "🦄"]
    for place, name in enumerate(names):
        stores.runs.put(a_step(RunKey(tenant, name), 1, clock(), state=place), None)

    found = [steps(stores, RunKey(tenant, name), clock()) for name in names]

    assert [[step and step.state for step in each] for each in found] == [[place] for place in range(len(names))]


def test_a_long_run_stops_where_the_budget_does(stores: Stores, run: RunKey, clock: Clock) -> None:
    noise = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(12_000))
    for number in range(120):
        stores.runs.put(a_step(run, number, clock(), state=noise), None)

    found: list[int] = []
    with pytest.raises(ScanBudgetSpent):
        found.extend(number for number, _ in stores.runs.steps(run, None, clock(), Pages(1)))

    assert 0 < len(found) < 120
    assert found == list(range(len(found)))


def test_an_answer_is_kept_with_its_step_and_a_used_key_writes_nothing(
    stores: Stores, run: RunKey, clock: Clock
) -> None:
    stores.runs.put(a_step(run, 1, clock()), a_record(run, clock()))

    with pytest.raises(AlreadyAnswered) as again:
        stores.runs.put(a_step(run, 2, clock()), a_record(run, clock()))

    assert again.value.stored == a_record(run, clock())
    assert [step and step.number for step in steps(stores, run, clock())] == [1]


def test_what_is_stored_is_counted_and_what_it_took_the_place_of_is_not(
    stores: Stores, run: RunKey, clock: Clock
) -> None:
    for key, (number, state) in enumerate(((1, "x" * 5000), (1, "x"), (2, "x"))):
        stores.runs.put(a_step(run, number, clock(), state=state, session_id="s"), None)
        first = stores.tally.taken()
        assert first.touched == {("planner", "s"): None}
        again = a_step(run, number, clock.turn(seconds=1), state=state, session_id="s")
        stores.runs.put(again, a_record(run, clock(), str(key)))
        assert stores.tally.taken().dynamo_bytes == 0
    assert first.dynamo_bytes > 0


def test_a_step_that_cannot_be_stored_leaves_nothing(stores: Stores, run: RunKey, clock: Clock) -> None:
    noise = "".join(chr(0x4E00 + (n * n * 31 + n * 7919) % 20000) for n in range(400_000))
    if stores.another() is stores:
        return  # memory takes what a table would refuse
    with pytest.raises(PayloadTooLarge):
        stores.runs.put(a_step(run, 1, clock(), state=noise), None)

    assert stores.runs.top(run, clock()) is None
