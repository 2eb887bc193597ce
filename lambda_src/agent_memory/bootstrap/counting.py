"""What requests do: how it is counted, and whether they may do it."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
    from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
    from agent_memory.domain.usage import Tally
    from agent_memory.service.admission import Admission
    from agent_memory.service.credit import Credit
    from agent_memory.service.reservations import Reservations
    from agent_memory.service.usage import Meter, Usage, Waiting


@cache
def tally() -> "Tally":
    """What the request under way has done."""
    from agent_memory.domain.usage import Tally

    return Tally()


@cache
def usage_store() -> "DynamoUsageStore":
    """Counters of tenants."""
    from agent_memory.adapters.dynamodb_usage import DynamoUsageStore

    return DynamoUsageStore(clients.dynamodb(), settings.control_table)


@cache
def agent_registry() -> "DynamoAgentRegistry":
    """Which agents there are."""
    from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry

    return DynamoAgentRegistry(clients.dynamodb(), settings.control_table)


@cache
def meter() -> "Meter":
    """Counts what requests did."""
    from agent_memory.service.marks import Marks
    from agent_memory.service.usage import Meter

    return Meter(usage_store(), Marks(agent_registry()), now, _waiting(), _credit())


@cache
def _waiting() -> "Waiting":
    from agent_memory.service.usage import Waiting

    return Waiting()


@cache
def _credit() -> "Credit":
    from agent_memory.service.credit import Credit

    return Credit(now())


@cache
def admission() -> "Admission":
    """Whether one more request may be served."""
    from agent_memory.service.admission import Admission

    return Admission(usage_store(), _waiting(), _credit(), now)


@cache
def reservations() -> "Reservations":
    """Whether a tenant may do what a request asks for."""
    from agent_memory.service.reservations import Reservations

    return Reservations(usage_store(), _waiting(), _credit(), now)


@cache
def usage() -> "Usage":
    """What has been counted."""
    from agent_memory.service.usage import Usage

    return Usage(usage_store(), now)


def counters(tenant_id: str) -> "Mapping[str, int]":
    """What has been counted, by counter."""
    return usage_store().get(tenant_id)
