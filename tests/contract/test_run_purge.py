"""A purge takes an agent's steps and tool calls out of every run, and nobody else's."""

from collections import Counter
from typing import Any

import pytest

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.runs import NewStep, Run, RunKey
from agent_memory.domain.tool_calls import CallKey, Completion, NewClaim
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock
from tests.fakes.paging import Unlimited

RUNS = ["r", "r#x", "%", "x" * 256]


class Scene:
    """Two agents that work on the same runs."""

    def __init__(self, stores: Stores, tenant: str, clock: Clock) -> None:
        self.stores, self.tenant, self.clock = stores, tenant, clock

    def step(self, run: str, number: int, agent: str, status: Any = "running", **fields: Any) -> None:
        new = NewStep(agent_id=agent, state=f"{agent} did this", status=status, **fields)
        self.stores.agent_runs(self.clock).put(RunKey(self.tenant, run), number, new, Attempt())

    def call(self, run: str, name: str, agent: str) -> None:
        key, calls = CallKey(self.tenant, run, name), self.stores.tool_calls(self.clock)
        calls.claim(key, NewClaim(agent_id=agent, tool="t", arguments_hash="h", lease_s=1), Attempt())
        calls.complete(key, Completion(result=f"{agent} heard this"), Attempt())

    def purge(self, agent: str) -> Counter[str]:
        removed: Counter[str] = Counter()
        for part in self.stores.records.purge(self.tenant, agent):
            removed.update(part.counts)
            self.stores.tally.dynamo_bytes -= part.dynamo_bytes
        return removed

    def seen(self, run: str) -> tuple[list[tuple[int, str]], list[str]]:
        key, now = RunKey(self.tenant, run), self.clock()
        steps = [step for _, step in self.stores.runs.steps(key, None, now, Unlimited()) if step]
        calls = [call for name in "ab" if (call := self.stores.tools.get(CallKey(self.tenant, run, name)))]
        return [(step.number, step.agent_id) for step in steps], [call.agent_id for call in calls]

    def top(self, run: str) -> Run | None:
        return self.stores.runs.top(RunKey(self.tenant, run), self.clock())


@pytest.fixture
def scene(stores: Stores, tenant: str, clock: Clock) -> Scene:
    return Scene(stores, tenant, clock)


def test_an_agents_part_goes_and_the_others_stay(scene: Scene) -> None:
    for run in RUNS:
        for number, agent in enumerate(("planner", "critic", "planner")):
            scene.step(run, number, agent, "done" if number == 2 else "waiting")
        scene.call(run, "a", "planner")
        scene.call(run, "b", "critic")

    removed = scene.purge("planner")

    assert removed["runs"] == 3 * len(RUNS)
    for run in RUNS:
        assert scene.seen(run) == ([(1, "critic")], ["critic"])
        top = scene.top(run)
        assert top
        assert (top.number, top.status) == (1, "waiting")
    listed = [run for _, run in scene.stores.runs.runs(scene.tenant, "planner", None, scene.clock(), Unlimited())]
    assert listed == []
    assert scene.purge("planner") == Counter()
    assert scene.purge("critic")["runs"] == 2 * len(RUNS)
    assert scene.stores.tally.taken().dynamo_bytes == 0


def test_tool_calls_are_found_in_runs_without_steps(scene: Scene) -> None:
    scene.call("only tools", "a", "planner")

    assert scene.purge("planner")["runs"] == 1
    assert scene.seen("only tools") == ([], [])


def test_what_expired_and_was_not_swept_is_found_too(scene: Scene) -> None:
    scene.step("r", 1, "planner", ttl_hours=1.0)
    scene.step("r", 2, "planner", ttl_hours=2.0)
    scene.clock.turn(days=2)

    assert scene.purge("planner")["runs"] == 2


def test_an_agent_whose_step_another_wrote_over_has_nothing_there(scene: Scene) -> None:
    scene.step("r", 1, "planner")
    scene.step("r", 1, "critic", "done")

    assert scene.purge("planner")["runs"] == 0
    assert scene.seen("r") == ([(1, "critic")], [])
    top = scene.top("r")
    assert top
    assert top.agent_id == "critic"


def test_what_is_written_between_two_parts_of_a_purge_goes_too(scene: Scene) -> None:
    scene.step("r", 1, "planner")
    store = scene.stores.records
    parts = store.purge(scene.tenant, "planner")
    next(parts)
    scene.step("r", 2, "planner")
    scene.call("r", "a", "planner")
    list(parts)
    list(store.purge(scene.tenant, "planner"))

    assert scene.seen("r") == ([], [])


def test_other_tenants_keep_what_is_theirs(scene: Scene, stores: Stores, clock: Clock) -> None:
    other = Scene(stores, f"{scene.tenant}-2", clock)
    for each in (scene, other):
        each.step("r", 1, "planner")
        each.call("r", "a", "planner")

    scene.purge("planner")

    assert other.seen("r") == ([(1, "planner")], ["planner"])
