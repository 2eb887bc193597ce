"""The writes that change a job: parts of transactions of `DynamoJobStore`."""

from datetime import datetime
from typing import Any

from agent_memory.adapters.dynamodb_item import Item, document, number, text
from agent_memory.adapters.dynamodb_job_item import KEPT_WHEN_DONE, evict_at, head_key, job_key, known_key
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.jobs import Job
from agent_memory.domain.times import to_micros

Write = dict[str, Any]
_NAMES = {"#error": "error", "#last": "last", "#status": "status"}
_QUEUED, _RUNNING, _DONE, _FAILED = (text(status) for status in ("queued", "running", "done", "failed"))


def placed(table: str, job: Job, last: int | None) -> Write:
    """Takes the job's place, if `last` is still the last one."""
    given = {":next": number(job.sequence or 0), ":session": text(job.session_id or "")}
    return _update(
        table,
        held_key(job),
        "SET #last = :next, session_id = :session",
        "attribute_not_exists(pk)" if last is None else "#last = :last",
        given if last is None else given | {":last": number(last)},
    )


def leased(table: str, place: Item, holder: str, now: datetime, until: datetime) -> Write:
    """Holds what a job is done under, if there is such a thing and nobody else holds it."""
    return _update(
        table,
        place,
        "SET holder = :holder, held_until = :until",
        "attribute_exists(pk) AND (attribute_not_exists(holder) OR holder = :holder OR held_until <= :now)",
        {":holder": text(holder), ":until": number(to_micros(until)), ":now": number(to_micros(now))},
    )


def released(table: str, place: Item, holder: str) -> Write:
    """Undoes `leased`."""
    return _update(table, place, "REMOVE holder, held_until", "holder = :holder", {":holder": text(holder)})


def headless(table: str, place: Item, holder: str, last: int) -> Write:
    """Removes a session's place, of which nobody has taken the next one since."""
    delete = {
        "TableName": table,
        "Key": place,
        "ConditionExpression": "holder = :holder AND #last = :last",
        "ExpressionAttributeNames": {"#last": "last"},
        "ExpressionAttributeValues": {":holder": text(holder), ":last": number(last)},
    }
    return {"Delete": delete}


def started(table: str, job: Job) -> Write:
    """Counts an attempt at a job that is not over."""
    given = {":running": _RUNNING, ":one": number(1), ":queued": _QUEUED}
    condition = "attribute_exists(pk) AND #status IN (:queued, :running)"
    return _row(table, job, "SET #status = :running ADD attempts :one", condition, given)


def given_back(table: str, job: Job) -> Write:
    """Takes an attempt back."""
    given = {":minus": number(-1), ":queued": _QUEUED, ":running": _RUNNING}
    return _row(table, job, "SET #status = :queued ADD attempts :minus", "#status = :running", given)


def amended(table: str, job: Job, payload: Item) -> Write:
    """Another payload, in the row."""
    given = {":payload": payload["payload"], ":running": _RUNNING}
    return _row(table, job, "SET payload = :payload REMOVE parts", "#status = :running", given)


def finished(table: str, job: Job, written: JsonObject, now: datetime) -> list[Write]:
    """Says what was done."""
    gone = {":gone": evict_at(now + KEPT_WHEN_DONE)}
    change = (
        "SET #status = :done, written = :written, finished_at = :now, evict_at = :gone"
        " REMOVE payload, parts, #error, holder, held_until"
    )
    given = {":done": _DONE, ":written": document(written), ":now": number(to_micros(now)), **gone}
    return [
        _row(table, job, change, "attribute_exists(pk) AND #status <> :done", given),
        _update(table, known_key(job), "SET evict_at = :gone", "attribute_exists(pk)", gone),
    ]


def failed(table: str, job: Job, error: JsonObject, now: datetime) -> Write:
    """Says that it will not be done, of a job that is not over."""
    change = "SET #status = :failed, #error = :error, finished_at = :now REMOVE holder, held_until"
    given = {":failed": _FAILED, ":error": document(error), ":now": number(to_micros(now))}
    condition = "attribute_exists(pk) AND #status IN (:queued, :running)"
    return _row(table, job, change, condition, given | {":queued": _QUEUED, ":running": _RUNNING})


def requeued(table: str, job: Job) -> Write:
    """Lets a failed job be done after all."""
    given = {":queued": _QUEUED, ":none": number(0), ":failed": _FAILED}
    change = "SET #status = :queued, attempts = :none REMOVE #error, finished_at"
    return _row(table, job, change, "#status = :failed", given)


def held_key(job: Job) -> Item:
    """What is held while the job is done."""
    if job.is_ordered:
        return head_key(job.tenant_id, job.agent_id, job.session_id or "")
    return job_key(job.tenant_id, job.job_id)


def put_new(table: str, item: Item) -> Write:
    """Puts what is not there yet."""
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def delete(table: str, place: Item) -> Write:
    """Removes whatever stands there."""
    return {"Delete": {"TableName": table, "Key": place}}


def _row(table: str, job: Job, change: str, condition: str, given: Item) -> Write:
    return _update(table, job_key(job.tenant_id, job.job_id), change, condition, given)


def _update(table: str, place: Item, change: str, condition: str, given: Item) -> Write:
    update: dict[str, Any] = {
        "TableName": table,
        "Key": place,
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": given,
    }
    # DynamoDB refuses names that are not used.
    if names := {name: stands_for for name, stands_for in _NAMES.items() if name in change + condition}:
        update["ExpressionAttributeNames"] = names
    return {"Update": update}
