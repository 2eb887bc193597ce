"""Does the jobs that the queue tells of.

Invoked by an event source mapping with ReportBatchItemFailures; a message says which job, and nothing else. And invoked
by the command that changes the embedding model, for some of one tenant's work each time.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from agent_memory import logs
from agent_memory.acting import acting_for
from agent_memory.bootstrap import counting, tenants, work
from agent_memory.config import settings
from agent_memory.domain.queue import read_message
from agent_memory.domain.times import now
from agent_memory.errors import StoreUnavailable
from agent_memory.service.doing_jobs import Delivery, DoingJobs


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the jobs; the answer names the messages that are to be delivered again."""
    if "embeddings" in event:
        return _embeddings(event["embeddings"], context.aws_request_id)
    started, records = time.perf_counter(), event["Records"]
    ends_at = now() + timedelta(milliseconds=context.get_remaining_time_in_millis())
    of_tenants: dict[str, dict[str, Delivery]] = defaultdict(dict)
    failed = []
    for record in records:
        message = read_message(record["body"])
        if message is None:  # nobody's: among the dead letters somebody will see it
            failed.append(record["messageId"])
            continue
        count = int(record["attributes"]["ApproximateReceiveCount"])
        is_last = count >= settings.job_attempts
        of_tenants[message.tenant_id][record["messageId"]] = Delivery(message.job_id, is_last)
    doing = work.doing_jobs(lambda error: logs.crash(context.aws_request_id, error))
    for tenant_id, deliveries in of_tenants.items():
        with acting_for(tenant_id):
            taken = _take(doing, tenant_id, list(deliveries.values()), ends_at, context.aws_request_id)
        failed += [each for each, is_taken in zip(deliveries, taken, strict=True) if not is_taken]
    logs.line(
        request_id=context.aws_request_id,
        records=len(records),
        failed=len(failed),
        latency_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _embeddings(asked: dict[str, Any], request_id: str) -> dict[str, Any]:
    do, tenant_id = asked["do"], asked["tenant_id"]
    given = {name: value for name, value in asked.items() if name not in ("do", "tenant_id")}
    with acting_for(tenant_id):
        worker = work.embedding_work()
        match do:
            case "fill":
                told = worker.fill(tenant_id, **given)._asdict()
            case "compare":
                told = worker.compare(tenant_id, **given)._asdict()
            case "remove":
                told = {"removed": worker.remove(tenant_id, **given)}
            case _:
                raise ValueError(do)
        _count(tenant_id, request_id)
    logs.line(request_id=request_id, embeddings=do, **{name: n for name, n in told.items() if name != "after"})
    return told


def _take(
    doing: DoingJobs, tenant_id: str, deliveries: Sequence[Delivery], ends_at: datetime, request_id: str
) -> list[bool]:
    """Jobs are no requests, but what they embed and store is the tenant's."""
    try:
        limits = tenants.tenant_limits().of(tenant_id)
        counting.tally().begin(counting.reservations().quota(tenant_id, limits), now())
    except StoreUnavailable:
        return [False] * len(deliveries)
    taken = doing.take(tenant_id, deliveries, ends_at)
    _count(tenant_id, request_id)
    return taken


def _count(tenant_id: str, request_id: str) -> None:
    try:
        done = counting.tally().taken()
        counting.reservations().settle(tenant_id, done)
        counting.meter().settle(tenant_id, done)
    except Exception as exc:  # noqa: BLE001 - even a bug in counting is no reason to do the jobs again
        logs.crash(request_id, exc)
