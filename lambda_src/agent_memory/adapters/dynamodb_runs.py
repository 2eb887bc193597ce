"""Agent runs in the memory table: a step commits together with what it says of its run and the agent's pointer."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import Item, item_bytes, read_text, text
from agent_memory.adapters.dynamodb_run_item import (
    STEP,
    later,
    pointed_until,
    pointer_item,
    pointer_key,
    pointers_key,
    read_run_of_step,
    read_step,
    read_top,
    run_key,
    step_item,
    step_key,
    top_item,
    top_key,
)
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.runs import MAX_STEP, Run, RunKey, Step
from agent_memory.domain.scan import ScanBudget, ScanBudgetSpent
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict

# Each round is lost only when another writer of the same run got through.
_ROUNDS = 30
_RUN = "RUN#"
_RUNS_AT_ONCE = 100  # as many as one BatchGetItem reads


@dataclass(frozen=True, slots=True)
class _Seen:
    """What stands where a step is to be written."""

    step: Item | None
    top: Item | None
    pointer: Item | None


class DynamoRunStore:
    """`RunStore` on DynamoDB; tells the tally what it stored."""

    def __init__(self, client: AwsJsonClient, table: str, idempotency: DynamoIdempotencyStore, tally: Tally) -> None:
        self._client = client
        self._table = table
        self._idempotency = idempotency
        self._tally = tally

    def put(self, step: Step, answer: IdempotencyRecord | None) -> None:
        """See `RunStore.put`; a read and a transaction, and for the first step of a run another read."""
        write_id = os.urandom(9).hex()
        item = step_item(step, write_id)
        self._tally.need("dynamo_bytes", item_bytes(item))
        for _ in range(_ROUNDS):
            seen = self._see(step)
            with suppress(_Overtaken):
                self._write([*self._writes(step, item, seen, write_id)], answer, step.updated_at, write_id)
                self._tally.stored(step.agent_id, step.session_id, item_bytes(item) - item_bytes(seen.step or {}))
                return
        raise Conflict("too many writers at once")

    def top(self, key: RunKey, now: datetime) -> Run | None:
        """See `RunStore.top`; one strongly consistent call, and another when the highest step expired or was purged."""
        return _live(key, dynamodb.get(self._client, self._table, top_key(key)), now) or self._highest(key, now)

    def steps(
        self, key: RunKey, after: int | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[int, Step | None]]:
        """See `RunStore.steps`."""
        first = 0 if after is None else after + 1
        if first > MAX_STEP:
            return  # DynamoDB refuses a range that ends before it starts
        for page in dynamodb.query(self._client, self._steps_request(key, first), budget.spend):
            for item in page:
                step = read_step(key, item)
                yield step.number, step if step.is_live(now) else None

    def runs(
        self, tenant_id: str, agent_id: str, after: str | None, now: datetime, budget: ScanBudget
    ) -> Iterator[tuple[str, Run | None]]:
        """See `RunStore.runs`; a position is the run's part of the sort key."""
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
            "ExpressionAttributeValues": {
                ":pk": pointers_key(tenant_id, agent_id),
                # The smallest character after a position is the next position that can exist.
                ":from": text(_RUN if after is None else f"{_RUN}{after}\x01"),
                ":to": text("RUN$"),
            },
            "ConsistentRead": True,
            "Limit": _RUNS_AT_ONCE,
        }
        for page in dynamodb.query(self._client, request, budget.spend):
            keys = {item["sk"]["S"]: RunKey(tenant_id, str(read_text(item, "run_id"))) for item in page}
            found = dynamodb.get_all(self._client, self._table, [top_key(key) for key in keys.values()])
            for sort_key, key in keys.items():
                place = top_key(key)
                top = found.get((place["pk"]["S"], place["sk"]["S"]))
                run = _live(key, top, now)
                if run is None:
                    if not budget.spend():
                        raise ScanBudgetSpent
                    run = self._highest(key, now)
                yield sort_key.removeprefix(_RUN), run

    def _see(self, step: Step) -> _Seen:
        places = (step_key(step.run, step.number), top_key(step.run), pointer_key("RUN", step.run, step.agent_id))
        found = dynamodb.get_all(self._client, self._table, places)
        return _Seen(*(found.get((place["pk"]["S"], place["sk"]["S"])) for place in places))

    def _writes(self, step: Step, item: Item, seen: _Seen, write_id: str) -> Iterator[dict[str, Any]]:
        yield self._put(item, seen.step)
        until = pointed_until(step.expires_at)
        stands = _live(step.run, seen.top, step.updated_at) or self._highest(step.run, step.updated_at)
        top = stands if stands and stands.number > step.number else Run.at(step)
        # Steps that are there although nothing tells of their run may stay for ever.
        last = until if seen.top or not stands else None
        new = top_item(top, write_id, later(seen.top, last))
        if not seen.top or {**seen.top, "write_id": new["write_id"]} != new:
            yield self._put(new, seen.top)
        pointer = pointer_item("RUN", step.run, step.agent_id, later(seen.pointer, until))
        if pointer != seen.pointer:
            yield {"Put": {"TableName": self._table, "Item": pointer}}

    def _put(self, item: Item, over: Mapping[str, Any] | None) -> dict[str, Any]:
        """Over exactly what was seen."""
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if over is None:
            return {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}
        condition = {
            "ConditionExpression": "write_id = :seen",
            "ExpressionAttributeValues": {":seen": over["write_id"]},
        }
        return {"Put": put | condition}

    def _write(
        self, writes: list[dict[str, Any]], answer: IdempotencyRecord | None, now: datetime, write_id: str
    ) -> None:
        answers = [] if answer is None else [self._idempotency.write_of(answer, now)]
        try:
            dynamodb.write(self._client, [*writes, *answers])
        except dynamodb.ConditionFailed as exc:
            if exc.index == len(writes):
                raise AlreadyAnswered(stored_record(exc.item)) from exc
            # The answer to an earlier attempt was lost: what stands in the way is this very write.
            if not (exc.resent and read_text(exc.item, "write_id") == write_id):
                raise _Overtaken from exc

    def _highest(self, key: RunKey, now: datetime) -> Run | None:
        """The run by its steps themselves."""
        request = self._steps_request(key, 0) | {
            "ScanIndexForward": False,
            "ProjectionExpression": "sk, agent_id, #status, updated_at, expires_at",
            "ExpressionAttributeNames": {"#status": "status"},
        }
        for page in dynamodb.query(self._client, request, lambda: True):
            for item in page:
                run = read_run_of_step(key, item)
                if run.is_live(now):
                    return run
        return None

    def _steps_request(self, key: RunKey, first: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :from AND :to",
            "ExpressionAttributeValues": {
                ":pk": run_key(key.tenant_id, key.run_id),
                ":from": step_key(key, first)["sk"],
                ":to": text(STEP + ":"),
            },
            "ConsistentRead": True,
        }


def _live(key: RunKey, item: Item | None, now: datetime) -> Run | None:
    run = read_top(key, item) if item else None
    return run if run and run.is_live(now) else None


class _Overtaken(Exception):
    """Another writer got through since the run was read."""
