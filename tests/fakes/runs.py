"""Runs, tool calls and flags in memory."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from agent_memory.domain.flags import Flag
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.domain.purge import Removed
from agent_memory.domain.runs import Run, RunKey, Step
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.tool_calls import CallChanged, CallKey, ToolCall
from agent_memory.domain.usage import Tally
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.paging import paged


class InMemoryRunStore:
    """`RunStore`; a step takes as many bytes as its JSON has."""

    def __init__(self, idempotency: InMemoryIdempotencyStore, tally: Tally | None = None) -> None:
        self._idempotency = idempotency
        self._tally = tally or Tally()
        self._steps: dict[tuple[RunKey, int], Step] = {}
        self._pointers: dict[tuple[str, str, str], None] = {}

    def put(self, step: Step, answer: IdempotencyRecord | None) -> None:
        with self._idempotency.lock:
            self._tally.need("dynamo_bytes", _size(step))
            if answer is not None:
                self._idempotency.put(answer, step.updated_at)
            before = self._steps.get((step.run, step.number))
            self._steps[step.run, step.number] = step
            self._pointers[step.run.tenant_id, step.agent_id, step.run.run_id] = None
            self._tally.stored(step.agent_id, step.session_id, _size(step) - (_size(before) if before else 0))

    def top(self, key: RunKey, now: datetime) -> Run | None:
        live = [step for step in self._of(key) if step.is_live(now)]
        return Run.at(live[-1]) if live else None

    def steps(
        self, key: RunKey, after: int | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[int, Step | None]]:
        for step in paged([step for step in self._of(key) if after is None or step.number > after], budget):
            yield step.number, step if step.is_live(now) else None

    def runs(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Run | None]]:
        own = [run for tenant, agent, run in list(self._pointers) if (tenant, agent) == (tenant_id, agent_id)]
        for run_id in paged(sorted(run for run in own if after is None or run > after), budget):
            yield run_id, self.top(RunKey(tenant_id, run_id), now)

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for place, step in list(self._steps.items()):
            if (place[0].tenant_id, step.agent_id) == (tenant_id, agent_id):
                del self._steps[place]
                yield Removed({"runs": 1}, dynamo_bytes=_size(step))
        for pointer in [pointer for pointer in self._pointers if pointer[:2] == (tenant_id, agent_id)]:
            del self._pointers[pointer]
            yield Removed({"other": 1})

    def _of(self, key: RunKey) -> list[Step]:
        return sorted(
            (step for (run, _), step in list(self._steps.items()) if run == key), key=lambda step: step.number
        )


class InMemoryToolLedger:
    """`ToolLedger`; a call takes as many bytes as its JSON has."""

    def __init__(self, idempotency: InMemoryIdempotencyStore, tally: Tally | None = None) -> None:
        self._idempotency = idempotency
        self._tally = tally or Tally()
        self._calls: dict[CallKey, ToolCall] = {}

    def get(self, key: CallKey) -> ToolCall | None:
        return self._calls.get(key)

    def put(self, call: ToolCall, over: ToolCall | None, answer: IdempotencyRecord | None) -> None:
        now = call.completed_at or call.claimed_at
        with self._idempotency.lock:
            self._tally.need("dynamo_bytes", _size(call))
            if answer is not None:
                self._idempotency.check(answer, now)
            current = self._calls.get(call.key)
            if current != over:
                raise CallChanged(current)
            if answer is not None:
                self._idempotency.put(answer, now)
            self._calls[call.key] = call
            self._tally.stored(call.agent_id, call.session_id, _size(call) - (_size(over) if over else 0))

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for key, call in list(self._calls.items()):
            if (key.tenant_id, call.agent_id) == (tenant_id, agent_id):
                del self._calls[key]
                yield Removed({"runs": 1}, dynamo_bytes=_size(call))


class InMemoryFlagStore:
    """`FlagStore`."""

    def __init__(self) -> None:
        self._flags: dict[str, dict[str, Flag]] = {}

    def get(self, tenant_id: str) -> Mapping[str, Flag]:
        return self._flags.get(tenant_id, {})

    def change(self, tenant_id: str, own: Mapping[str, Flag], dropped: Collection[str]) -> None:
        kept = {name: flag for name, flag in self.get(tenant_id).items() if name not in dropped}
        self._flags[tenant_id] = {**kept, **own}


def _size(record: Step | ToolCall) -> int:
    return len(dumps(record.response()))
