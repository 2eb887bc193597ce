"""How jobs become items. In the control table each job has a row, and in its agent's partition what leads there:

    <tenant>#JOB#<job>      JOB                         the row: status, what was written, and a payload that is small
    <tenant>#JOBS#<agent>   HEAD#<session>              the last place that was given, and who holds the session
                            JOB#<job>                   that there is such a job
                            LINE#<session>#<sequence>   a job that is not over, in its place
                            PART#<job>#<n>              a part of a payload that has no room in the row

In the memory table stands the note in the outbox, `OUTBOX#<job>`, among the agent's records.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent_memory.adapters.dynamodb_item import (
    Item,
    document,
    key,
    key_part,
    number,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.jobs import Job
from agent_memory.domain.times import from_micros, to_micros

OUTBOX = "OUTBOX#"
HEAD = "HEAD#"
KNOWN = "JOB#"
# Longer than a message can be on its way: 14 days in the queue and as long among dead letters.
KEPT = timedelta(days=30)
# Of a job that is done only ids and counts are left.
KEPT_WHEN_DONE = timedelta(days=7)
PART_BYTES = 350_000


def job_key(tenant_id: str, job_id: str) -> Item:
    """Where a job's row stands."""
    return {"pk": text(key(tenant_id, "JOB", job_id)), "sk": text("JOB")}


def partition(tenant_id: str, agent_id: str) -> dict[str, Any]:
    """The partition of what leads to an agent's jobs."""
    return text(key(tenant_id, "JOBS", agent_id))


def head_key(tenant_id: str, agent_id: str, session_id: str) -> Item:
    """Where the session's last place is kept."""
    return {"pk": partition(tenant_id, agent_id), "sk": text(HEAD + key_part(session_id))}


def line_prefix(session_id: str) -> str:
    """What the places of a session's jobs begin with."""
    return f"LINE#{key_part(session_id)}#"


def line_key(job: Job) -> Item:
    """A job's place."""
    sequence = job.sequence or 0
    return _beside(job, f"{line_prefix(job.session_id or '')}{sequence:012}")


def known_key(job: Job) -> Item:
    """What says that there is such a job."""
    return _beside(job, KNOWN + job.job_id)


def line_item(job: Job) -> Item:
    """A job in its place."""
    return {**line_key(job), "job_id": text(job.job_id), "evict_at": evict_at(job.created_at + KEPT)}


def known_item(job: Job) -> Item:
    """That there is such a job, for a purge of its agent."""
    return {**known_key(job), "job_id": text(job.job_id), "evict_at": evict_at(job.created_at + KEPT)}


def part_keys(job: Job, count: int) -> list[Item]:
    """Where the parts of a payload stand."""
    return [_beside(job, f"PART#{job.job_id}#{place:03}") for place in range(count)]


def outbox_key(job: Job) -> Item:
    """Where the note stands, in the memory table."""
    return {"pk": text(key(job.tenant_id, job.agent_id, "0")), "sk": text(OUTBOX + job.job_id)}


def outbox_item(job: Job) -> Item:
    """The note: ids and times only."""
    times = {"created_at": number(to_micros(job.created_at)), "evict_at": evict_at(job.created_at + KEPT)}
    return {**outbox_key(job), "job_id": text(job.job_id), **times}


def evict_at(at: datetime) -> dict[str, Any]:
    """When DynamoDB may remove an item."""
    return number(to_micros(at) // 1_000_000 + 1)


def payload_parts(payload: object) -> tuple[Item, list[str]]:
    """A payload as attributes of the row, or as parts (base64) beside it, which the row counts."""
    value = document(payload)
    size = len(value["B"]) * 3 // 4
    if size <= PART_BYTES:
        return {"payload": value}, []
    raw = base64.b64decode(value["B"])
    parts = [base64.b64encode(raw[at : at + PART_BYTES]).decode() for at in range(0, len(raw), PART_BYTES)]
    return {"parts": number(len(parts))}, parts


def joined(parts: list[Item]) -> Any:
    """Undo `payload_parts` for parts."""
    raw = b"".join(base64.b64decode(part["part"]["B"]) for part in parts)
    return read_document({"payload": {"B": base64.b64encode(raw).decode()}}, "payload")


def row_item(job: Job) -> Item:
    """The row, without its payload."""
    item: Item = {**job_key(job.tenant_id, job.job_id), **dict(_given(job))}
    item |= {"kind": text(job.kind), "status": text(job.status), "attempts": number(job.attempts)}
    item |= {"agent_id": text(job.agent_id), "created_at": number(to_micros(job.created_at))}
    return item | {"evict_at": evict_at(job.created_at + KEPT)}


def read_job(tenant_id: str, job_id: str, item: Mapping[str, Any]) -> Job:
    """Read a row."""
    finished_at = read_number(item, "finished_at")
    return Job(
        tenant_id=tenant_id,
        job_id=job_id,
        kind=item["kind"]["S"],
        agent_id=str(read_text(item, "agent_id")),
        session_id=read_text(item, "session_id"),
        user_id=read_text(item, "user_id"),
        created_at=from_micros(read_number(item, "created_at") or 0),
        sequence=read_number(item, "sequence"),
        status=item["status"]["S"],
        attempts=read_number(item, "attempts") or 0,
        finished_at=None if finished_at is None else from_micros(finished_at),
        written=read_document(item, "written"),
        error=read_document(item, "error"),
    )


def _given(job: Job) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("session_id", "user_id"):
        if (value := getattr(job, name)) is not None:
            yield name, text(value)
    if job.sequence is not None:
        yield "sequence", number(job.sequence)


def _beside(job: Job, sort_key: str) -> Item:
    return {"pk": partition(job.tenant_id, job.agent_id), "sk": text(sort_key)}
