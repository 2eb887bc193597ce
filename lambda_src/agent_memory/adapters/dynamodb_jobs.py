"""Jobs in the control table, and their notes in the outbox of the memory table."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from agent_memory.adapters import dynamodb
from agent_memory.adapters import dynamodb_job_changes as changes
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore, stored_record
from agent_memory.adapters.dynamodb_item import Item, read_document, read_number, text
from agent_memory.adapters.dynamodb_job_item import (
    KEPT,
    evict_at,
    job_key,
    joined,
    known_item,
    line_item,
    line_key,
    line_prefix,
    outbox_item,
    outbox_key,
    part_keys,
    partition,
    payload_parts,
    read_job,
    row_item,
)
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import AlreadyAnswered, IdempotencyRecord
from agent_memory.domain.jobs import Job
from agent_memory.errors import AgentMemoryError, Conflict, InProgress, PayloadTooLarge, StoreUnavailable

# Each round is lost only when another job of the same session got through.
_ROUNDS = 30
# After these nobody knows whether the job was put: its payload stays, and goes by itself.
_UNCERTAIN = (InProgress, StoreUnavailable)


class Tables(NamedTuple):
    """Names of the two tables."""

    memory: str
    control: str


class DynamoJobStore:
    """`JobStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, tables: Tables, idempotency: DynamoIdempotencyStore) -> None:
        self._client = client
        self._memory, self._control = tables
        self._idempotency = idempotency

    def put(self, job: Job, payload: JsonObject, answer: IdempotencyRecord | None) -> None:
        """See `JobStore.put`; a read and a transaction, and a call for each part of a large payload."""
        held, parts = payload_parts(payload)
        keys = part_keys(job, len(parts))
        for place, part in zip(keys, parts, strict=True):  # each is as much as DynamoDB likes to take at once
            item = place | {"part": {"B": part}, "evict_at": evict_at(job.created_at + KEPT)}
            dynamodb.write(self._client, [{"Put": {"TableName": self._control, "Item": item}}])
        try:
            self._put(job, held, answer)
        except (AgentMemoryError, AlreadyAnswered) as exc:
            if not isinstance(exc, _UNCERTAIN):
                with suppress(StoreUnavailable):
                    dynamodb.delete_all(self._client, self._control, keys)
            raise

    def _put(self, job: Job, held: Item, answer: IdempotencyRecord | None) -> None:
        answers = [] if answer is None else [self._idempotency.write_of(answer, job.created_at)]
        for _ in range(_ROUNDS):
            placed, place = self._placed(job)
            writes = [
                changes.put_new(self._control, row_item(placed) | held),
                *place,
                changes.put_new(self._control, known_item(job)),
                {"Put": {"TableName": self._memory, "Item": outbox_item(job)}},
            ]
            try:
                dynamodb.write(self._client, [*writes, *answers])
            except dynamodb.ConditionFailed as exc:
                if self.get(job.tenant_id, job.job_id) is not None:
                    return  # this very job: its answer was lost, or an earlier attempt put it
                if exc.index == len(writes):
                    raise AlreadyAnswered(stored_record(exc.item)) from exc
                continue
            return
        raise Conflict("too many jobs of one session at once")

    def _placed(self, job: Job) -> tuple[Job, list[changes.Write]]:
        """The job in the place behind the last one of its session, and the writes that take it."""
        if not job.is_ordered:
            return job, []
        last = read_number(dynamodb.get(self._client, self._control, changes.held_key(job)) or {}, "last")
        placed = replace(job, sequence=(last or 0) + 1)
        line = changes.put_new(self._control, line_item(placed))
        return placed, [changes.placed(self._control, placed, last), line]

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        """See `JobStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._control, job_key(tenant_id, job_id))
        return None if item is None else read_job(tenant_id, job_id, item)

    def payload(self, job: Job) -> JsonObject | None:
        """See `JobStore.payload`; one call, and another for a large one."""
        item = dynamodb.get(self._client, self._control, job_key(job.tenant_id, job.job_id)) or {}
        keys = part_keys(job, read_number(item, "parts") or 0)
        found = dynamodb.get_all(self._client, self._control, keys)
        if len(found) < len(keys):
            return None
        parts = [found[each["pk"]["S"], each["sk"]["S"]] for each in keys]
        payload: JsonObject | None = joined(parts) if parts else read_document(item, "payload")
        return payload

    def line(self, tenant_id: str, agent_id: str, session_id: str, limit: int) -> Sequence[str]:
        """See `JobStore.line`; one call."""
        prefix = text(line_prefix(session_id))
        request: dict[str, Any] = {
            "TableName": self._control,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :line)",
            "ExpressionAttributeValues": {":pk": partition(tenant_id, agent_id), ":line": prefix},
            "ConsistentRead": True,
            "Limit": limit,
        }
        return [item["job_id"]["S"] for item in self._client.call("Query", request).get("Items", [])]

    def lease(self, job: Job, holder: str, now: datetime, until: datetime) -> bool:
        """See `JobStore.lease`; one call."""
        return self._write(changes.leased(self._control, changes.held_key(job), holder, now, until))

    def release(self, job: Job, holder: str) -> None:
        """See `JobStore.release`; one call."""
        self._write(changes.released(self._control, changes.held_key(job), holder))

    def start(self, job: Job) -> Job | None:
        """See `JobStore.start`; two calls."""
        is_started = self._write(changes.started(self._control, job))
        return self.get(job.tenant_id, job.job_id) if is_started else None

    def give_back(self, job: Job) -> None:
        """See `JobStore.give_back`; one call."""
        self._write(changes.given_back(self._control, job))

    def amend(self, job: Job, payload: JsonObject) -> None:
        """See `JobStore.amend`; a read and a transaction."""
        held, parts = payload_parts(payload)
        if parts:
            raise PayloadTooLarge("what a job is to go on with has no room in its row")
        self._write(changes.amended(self._control, job, held), *self._without_parts(job))

    def finish(self, job: Job, written: JsonObject, now: datetime) -> None:
        """See `JobStore.finish`; a read and a transaction."""
        finished = changes.finished(self._control, job, written, now)
        self._write(*finished, *self._without_parts(job), *self._left_behind(job))

    def fail(self, job: Job, error: JsonObject, now: datetime) -> None:
        """See `JobStore.fail`; a transaction."""
        self._write(changes.failed(self._control, job, error, now), *self._left_behind(job))

    def requeue(self, job: Job) -> bool:
        """See `JobStore.requeue`; a transaction."""
        places = [{"Put": {"TableName": self._control, "Item": line_item(job)}}] if job.is_ordered else []
        if self._write(changes.requeued(self._control, job), *places):
            return True
        found = self.get(job.tenant_id, job.job_id)  # it may be this very write whose answer was lost
        return found is not None and not found.is_over

    def _without_parts(self, job: Job) -> list[changes.Write]:
        item = dynamodb.get(self._client, self._control, job_key(job.tenant_id, job.job_id)) or {}
        parts = part_keys(job, read_number(item, "parts") or 0)
        return [changes.delete(self._control, part) for part in parts]

    def _left_behind(self, job: Job) -> list[changes.Write]:
        """Nobody waits for it any more."""
        places = [changes.delete(self._control, line_key(job))] if job.is_ordered else []
        return [changes.delete(self._memory, outbox_key(job)), *places]

    def _write(self, *writes: changes.Write) -> bool:
        try:
            dynamodb.write(self._client, writes)
        except dynamodb.ConditionFailed:
            return False
        return True
