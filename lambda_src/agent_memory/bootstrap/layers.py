"""What goes over all layers: the unified view, and the removal of an agent."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, counting, episodes, knowledge, memories, records
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.domain import purge as purged
    from agent_memory.domain.ports import AgentStore
    from agent_memory.service.purge import AgentRows, Purge
    from agent_memory.service.unified import Unified


@cache
def unified() -> "Unified":
    """All layers at once."""
    from agent_memory.service.unified import Unified

    return Unified(
        records.working(),
        episodes.timeline(),
        memories.memory_store(),
        memories.semantic(),
        counting.agent_registry(),
        records.large_values(),
        now,
    )


@cache
def purge() -> "Purge":
    """Removal of an agent from every store; embeds nothing."""
    from agent_memory.adapters.dynamodb_job_purge import DynamoAgentJobs
    from agent_memory.adapters.dynamodb_purge import DynamoAgentArchive, DynamoAgentRecords
    from agent_memory.adapters.dynamodb_run_purge import DynamoAgentRuns
    from agent_memory.adapters.s3_archive import S3Archive, make_client
    from agent_memory.service.purge import Purge

    table = settings.memory_table
    stores: list[AgentStore] = [
        DynamoAgentArchive(clients.dynamodb(), table),  # before the objects: no reader follows a row into the void
        S3Archive(make_client(settings.region, clients.tenant_credentials()), settings.archive_bucket),
        DynamoAgentRuns(clients.dynamodb(), table),
        DynamoAgentRecords(clients.dynamodb(), table, episodes.bucket_store()),
        counting.agent_registry(),  # last: until everything else is gone, it says that the agent is there
    ]
    rows: dict[purged.Kind, AgentRows] = {
        "semantic": memories.memory_store(),
        "facts": knowledge.fact_store(),
        "procedures": knowledge.procedure_store(),
    }
    jobs = DynamoAgentJobs(clients.dynamodb(), settings.control_table, now)
    return Purge(rows, stores, records.idempotency(), counting.tally(), now, [jobs])
