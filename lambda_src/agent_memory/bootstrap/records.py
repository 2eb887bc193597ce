"""Records of working memory, and what records of every kind share."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, counting
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
    from agent_memory.adapters.dynamodb_state import DynamoStateStore
    from agent_memory.adapters.s3_bodies import S3Bodies
    from agent_memory.service.large_values import LargeValues
    from agent_memory.service.runs import Runs
    from agent_memory.service.subjects import Subjects
    from agent_memory.service.tool_calls import ToolCalls
    from agent_memory.service.uploads import Uploads
    from agent_memory.service.working import WorkingMemory


@cache
def idempotency() -> "DynamoIdempotencyStore":
    """First answers."""
    from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore

    return DynamoIdempotencyStore(clients.dynamodb(), settings.control_table)


@cache
def subjects() -> "Subjects":
    """Whose session it is."""
    from agent_memory.adapters.dynamodb_control import DynamoSubjectStore
    from agent_memory.service.subjects import Subjects

    return Subjects(DynamoSubjectStore(clients.dynamodb(), settings.memory_table))


@cache
def _bodies() -> "S3Bodies":
    """Asked for when a value is large: it brings boto3 along."""
    from agent_memory.adapters.s3_bodies import S3Bodies

    return S3Bodies.of(settings.region, settings.archive_bucket, clients.tenant_credentials())


@cache
def large_values() -> "LargeValues":
    """Values that have no room in their records."""
    from agent_memory.service.large_values import LargeValues

    return LargeValues(_bodies, counting.tally(), now)


@cache
def uploads() -> "Uploads":
    """Uploads of large values."""
    from agent_memory.service.uploads import Uploads

    return Uploads(_bodies, idempotency(), now)


@cache
def state_store() -> "DynamoStateStore":
    """States, as they are stored."""
    from agent_memory.adapters.dynamodb_state import DynamoStateStore

    return DynamoStateStore(clients.dynamodb(), settings.memory_table, idempotency(), counting.tally())


@cache
def working() -> "WorkingMemory":
    """Working memory."""
    from agent_memory.service.working import WorkingMemory

    return WorkingMemory(state_store(), subjects(), large_values(), now)


@cache
def runs() -> "Runs":
    """Agent runs."""
    from agent_memory.adapters.dynamodb_runs import DynamoRunStore
    from agent_memory.service.runs import Runs

    store = DynamoRunStore(clients.dynamodb(), settings.memory_table, idempotency(), counting.tally())
    return Runs(store, subjects(), now)


@cache
def tool_calls() -> "ToolCalls":
    """The tool-call ledger."""
    from agent_memory.adapters.dynamodb_tool_calls import DynamoToolLedger
    from agent_memory.service.tool_calls import ToolCalls

    ledger = DynamoToolLedger(clients.dynamodb(), settings.memory_table, idempotency(), counting.tally())
    return ToolCalls(ledger, subjects(), idempotency(), now)
