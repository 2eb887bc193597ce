"""Takes the memory table's stream: new episodes go to the cold tier, and what records leave behind is removed.

Invoked by an event source mapping with ReportBatchItemFailures, and by whoever sends failed records again.
"""

import time
from typing import Any

from agent_memory import logs
from agent_memory.bootstrap import archive


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the records ask for; the answer names those that are to be delivered again."""
    started = time.perf_counter()
    records = event["Records"]
    deliveries = archive.deliveries(lambda error: logs.crash(context.aws_request_id, error))
    failed = deliveries.take(records)
    logs.line(
        request_id=context.aws_request_id,
        records=len(records),
        failed=len(failed),
        latency_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return {"batchItemFailures": [{"itemIdentifier": place} for place in failed]}
