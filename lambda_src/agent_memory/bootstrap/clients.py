"""Signed clients, and whose name they call in."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory import logs
from agent_memory.acting import acting_tenant
from agent_memory.config import settings

if TYPE_CHECKING:
    from agent_memory.adapters.aws_json import AwsJsonClient
    from agent_memory.adapters.sigv4 import CredentialSource
    from agent_memory.adapters.tenant_sessions import TenantSessions


@cache
def tenant_sessions() -> "TenantSessions | None":
    """Sessions of tenants, for functions that have a role for them."""
    if settings.tenant_role_arn is None:
        return None
    from agent_memory.adapters.sts import TenantRole
    from agent_memory.adapters.tenant_sessions import TenantSessions

    return TenantSessions(TenantRole(settings.region, settings.tenant_role_arn).assume)


def session_metrics() -> dict[str, object]:
    """What the line of a request says of sessions: misses on average are the rate of them."""
    sessions = tenant_sessions()
    if sessions is None:
        return {}
    calls, seconds = sessions.taken()
    values: dict[str, tuple[float, str]] = {"TenantSessionMisses": (calls, "Count")}
    if calls:
        values["TenantSessionLatency"] = (round(seconds / calls * 1000, 1), "Milliseconds")
    return logs.metrics(values)


def tenant_credentials() -> "CredentialSource":
    """What reaches records: the credentials of the tenant acted for, or without sessions the function's own."""
    from agent_memory.adapters.sigv4 import own_role

    sessions = tenant_sessions()
    return own_role if sessions is None else sessions.credentials_of(acting_tenant)


@cache
def dynamodb() -> "AwsJsonClient":
    """The signed DynamoDB client."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region, tenant_credentials())


@cache
def dynamodb_beside() -> "AwsJsonClient":
    """As `dynamodb`, for a thread beside the request's own, which may not outlive it for long."""
    from agent_memory.adapters.dynamodb import make_client

    return make_client(settings.region, tenant_credentials(), patience_s=settings.context_deadline_s)


def data_calls() -> int:
    """Calls to DynamoDB so far, for the log line of a request."""
    beside = dynamodb_beside().calls if dynamodb_beside.cache_info().currsize else 0
    return dynamodb().calls + beside
