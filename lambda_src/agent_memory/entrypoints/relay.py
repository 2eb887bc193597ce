"""Tells the queue of the notes in the outbox, as the memory table's stream brings them: ids, and nothing else.

Invoked by an event source mapping with ReportBatchItemFailures that hears of new notes only. A note that is told twice
is one job all the same.
"""

import time
from collections.abc import Mapping
from typing import Any

from agent_memory import logs
from agent_memory.bootstrap import jobs
from agent_memory.domain.queue import JobMessage
from agent_memory.errors import StoreUnavailable


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a message for each note; the answer names those that are to be delivered again."""
    started = time.perf_counter()
    places = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    messages = [_message(record["dynamodb"]["NewImage"]) for record in event["Records"]]
    try:
        taken = jobs.job_queue().send(messages)
    except StoreUnavailable as exc:
        logs.crash(context.aws_request_id, exc)
        taken = [False] * len(messages)
    failed = [place for place, sent in zip(places, taken, strict=True) if not sent]
    logs.line(
        request_id=context.aws_request_id,
        records=len(messages),
        failed=len(failed),
        latency_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return {"batchItemFailures": [{"itemIdentifier": place} for place in failed]}


def _message(image: Mapping[str, Any]) -> JobMessage:
    return JobMessage(image["pk"]["S"].partition("#")[0], image["job_id"]["S"])
