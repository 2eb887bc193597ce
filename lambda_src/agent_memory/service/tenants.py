"""Limits of tenants: the deployment's, and what a tenant has of its own in their place."""

from collections.abc import Mapping

from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.domain.limits import MAX_RETENTION_DAYS, NAMES, Limits, LimitStore
from agent_memory.errors import InvalidRequest


class TenantLimits:
    """What holds for a tenant; a change is heard of with the authorizer's next answer, within 60 s."""

    def __init__(self, store: LimitStore, defaults: Limits) -> None:
        self._store = store
        self._defaults = defaults

    def of(self, tenant_id: str) -> Limits:
        """What holds."""
        return self._defaults.overridden(self._store.get(tenant_id))

    def own(self, tenant_id: str) -> Mapping[str, int | None]:
        """What the tenant has of its own."""
        return self._store.get(tenant_id)

    def change(self, tenant_id: str, own: Mapping[str, int | None], dropped: set[str]) -> None:
        """Give the tenant limits of its own, None for no limit; for those dropped the deployment's hold again.

        Raises:
            InvalidRequest: a malformed tenant id, a limit that there is not, nothing to change, a number below 0.
        """
        if not TENANT_ID.fullmatch(tenant_id):
            raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
        names = own.keys() | dropped
        if not names or not names <= set(NAMES) or own.keys() & dropped:
            raise InvalidRequest.of("limits", f"must be some of {', '.join(NAMES)}")
        if any(limit is not None and limit < 0 for limit in own.values()):
            raise InvalidRequest.of("limits", "must be whole numbers from 0, or none")
        days = own.get("retention_days")
        if days is not None and not 1 <= days <= MAX_RETENTION_DAYS:
            raise InvalidRequest.of("retention_days", f"must be from 1 to {MAX_RETENTION_DAYS}, or none")
        self._store.change(tenant_id, own, dropped)
