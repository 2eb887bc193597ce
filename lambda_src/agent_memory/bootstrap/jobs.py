"""Jobs: where they stand, where they are told of, and the ends of sessions that leave them behind."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.adapters.sqs import SqsJobQueue
    from agent_memory.domain.jobs import JobStore
    from agent_memory.service.sessions import Sessions


@cache
def job_store() -> "JobStore":
    """Jobs, for whoever leaves work behind and whoever does it."""
    from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables

    return DynamoJobStore(
        clients.dynamodb(), Tables(settings.memory_table, settings.control_table), records.idempotency()
    )


@cache
def job_queue() -> "SqsJobQueue":
    """Where jobs are told of."""
    from agent_memory.adapters.sqs import SqsJobQueue, make_client

    return SqsJobQueue(make_client(settings.region), settings.job_queue_url)


@cache
def sessions() -> "Sessions":
    """Ends of sessions, and their jobs."""
    from agent_memory.service.sessions import Sessions

    return Sessions(job_store(), records.subjects(), settings.summarizer_input_tokens, now)
