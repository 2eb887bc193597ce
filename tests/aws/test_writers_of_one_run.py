"""Two writers of one run, the second one between each two calls of the first: no step is lost, none speaks too loud."""

from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_run_purge import DynamoAgentRuns
from agent_memory.adapters.dynamodb_runs import DynamoRunStore
from agent_memory.domain.runs import Run, RunKey, Step
from agent_memory.domain.usage import Tally
from tests.fakes.clock import Clock
from tests.fakes.paging import Unlimited
from tests.fix_aws import Aws


class Writer:
    """A function that writes steps."""

    def __init__(self, aws: Aws, run: RunKey, clock: Clock) -> None:
        self._run, self._clock = run, clock
        client, self.tally = aws.client(), Tally()
        self.store = DynamoRunStore(
            client, aws.memory_table, DynamoIdempotencyStore(client, aws.control_table), self.tally
        )
        self._records = DynamoAgentRuns(client, aws.memory_table)

    def write(self, number: int, agent: str = "planner", **fields: Any) -> None:
        step = Step(self._run, number, agent, None, {"by": agent}, "running", self._clock(), None, {})
        self.store.put(replace(step, **fields), None)

    def purge(self, agent: str) -> None:
        list(self._records.purge(self._run.tenant_id, agent))

    def seen(self) -> tuple[list[int], Run | None]:
        now = self._clock()
        steps = [number for number, step in self.store.steps(self._run, None, now, Unlimited()) if step]
        return steps, self.store.top(self._run, now)


@pytest.mark.parametrize("before", [[], [3], [3, 9]])
@pytest.mark.parametrize(("first", "second"), [(1, 5), (5, 1), (5, 5), (3, 5)])
def test_whichever_comes_first_the_highest_step_speaks(
    aws: Aws, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, before: list[int], first: int, second: int
) -> None:
    for place in count(1):
        run = RunKey(tenant, f"run-{place}")
        one, other = Writer(aws, run, clock), Writer(aws, run, clock)
        for number in before:
            one.write(number, "planner")
        with monkeypatch.context() as watching:
            met = interrupt(watching, one, place, partial(other.write, second, "critic", status="done"))
            one.write(first, "planner")

        steps, top = one.seen()
        assert steps == sorted({*before, first, *([second] if met else [])})
        assert top
        assert top.number == max(steps)
        stored = next(step for number, step in one.store.steps(run, None, clock(), Unlimited()) if number == top.number)
        assert stored
        assert top == Run.at(stored)
        if not met:
            break


def interrupt(monkeypatch: pytest.MonkeyPatch, writer: Writer, place: int, do: Any) -> list[int]:
    """Do something before this call of the writer to DynamoDB; whether it came to that is in the list."""
    met: list[int] = []
    calls, call = count(1), AwsJsonClient.call

    def watched(client: AwsJsonClient, operation: str, *arguments: Any) -> dict[str, Any]:
        if client is writer.store._client and next(calls) == place:
            met.append(place)
            do()
        return call(client, operation, *arguments)

    monkeypatch.setattr(AwsJsonClient, "call", watched)
    return met


def test_a_step_that_is_written_during_a_purge_is_found_by_the_next(
    aws: Aws, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in count(1):
        run = RunKey(tenant, f"run-{place}")
        one, other = Writer(aws, run, clock), Writer(aws, run, clock)
        one.write(1)
        with monkeypatch.context() as watching:
            met = interrupt(watching, one, place, partial(other.purge, "planner"))
            one.write(2)

        one.purge("planner")
        assert one.seen() == ([], None)
        if not met:
            break
