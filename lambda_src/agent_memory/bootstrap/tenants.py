"""What stands of tenants: their API keys, limits and flags."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.service.flags import TenantFlags
    from agent_memory.service.keys import ApiKeys
    from agent_memory.service.tenants import TenantLimits


@cache
def api_keys() -> "ApiKeys":
    """API keys and who stands behind them."""
    from agent_memory.adapters import ssm
    from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
    from agent_memory.service.keys import ApiKeys

    pepper = ssm.SsmPepper(ssm.make_client(settings.region), settings.pepper_parameter)
    return ApiKeys(DynamoApiKeyStore(clients.dynamodb(), settings.control_table), pepper, now)


@cache
def tenant_limits() -> "TenantLimits":
    """Limits of tenants."""
    from agent_memory.adapters.dynamodb_limits import DynamoLimitStore
    from agent_memory.domain.limits import Limits
    from agent_memory.service.tenants import TenantLimits

    return TenantLimits(DynamoLimitStore(clients.dynamodb(), settings.control_table), Limits.read(settings.limits))


@cache
def tenant_flags() -> "TenantFlags":
    """Feature flags of tenants."""
    from agent_memory.adapters.dynamodb_flags import DynamoFlagStore
    from agent_memory.service.flags import TenantFlags

    return TenantFlags(DynamoFlagStore(clients.dynamodb(), settings.control_table))
