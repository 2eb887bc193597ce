"""What an operator starts by a command."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, jobs, models
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_memory.adapters.lambda_function import LambdaFunction
    from agent_memory.service.redrive import Redrive
    from agent_memory.service.redrive_jobs import RedriveJobs
    from agent_memory.service.reembedding import Reembedding


@cache
def redrive() -> "Redrive":
    """Records that the archiver failed to take."""
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_failed_records import S3FailedRecords
    from agent_memory.service.redrive import Redrive

    kept = S3FailedRecords(make_client(settings.region), settings.failed_records_bucket)
    return Redrive(kept, _function(settings.archiver_function))


def sweeper_function() -> "LambdaFunction":
    """The sweeper, as an operator runs it."""
    return _function(settings.sweeper_function)


def _function(name: str) -> "LambdaFunction":
    from agent_memory.adapters.lambda_function import LambdaFunction, make_client

    return LambdaFunction(make_client(settings.region), name)


def redrive_jobs() -> "RedriveJobs":
    """Jobs that were given up or forgotten."""
    from agent_memory.adapters.dynamodb_outbox import DynamoOutbox
    from agent_memory.adapters.sqs import SqsJobQueue, make_client
    from agent_memory.service.redrive_jobs import RedriveJobs

    dead = SqsJobQueue(make_client(settings.region), settings.dead_jobs_url)
    outbox = DynamoOutbox(clients.dynamodb(), settings.memory_table)
    return RedriveJobs(jobs.job_store(), dead, jobs.job_queue(), outbox, now)


def reembedding(tell: "Callable[[str], object]") -> "Reembedding":
    """A change of the embedding model, as an operator carries it out."""
    import time

    from agent_memory.adapters.dynamodb_tenants import DynamoTenants
    from agent_memory.adapters.embedding_worker import InvokedWorker
    from agent_memory.service.reembedding import Reembedding

    worker = InvokedWorker(_function(settings.ingest_function))
    tenants = DynamoTenants(clients.dynamodb(), settings.control_table)
    return Reembedding(models.embedding_plan(), models.deployed_spaces(), tenants, worker, now, time.sleep, tell)
