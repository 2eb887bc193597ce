"""Feature flags of tenants."""

from collections.abc import Mapping

from agent_memory.domain.flags import MAX_FLAGS, MAX_VALUE_LENGTH, NAME, Flag, FlagStore
from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.errors import InvalidRequest


class TenantFlags:
    """What is switched on for a tenant; whoever asks after a change hears of it."""

    def __init__(self, store: FlagStore) -> None:
        self._store = store

    def of(self, tenant_id: str) -> dict[str, Flag]:
        """The tenant's flags, in the order of their names."""
        return dict(sorted(self._store.get(tenant_id).items()))

    def change(self, tenant_id: str, own: Mapping[str, Flag], dropped: set[str]) -> None:
        """Set some, and drop some.

        Raises:
            InvalidRequest: a malformed tenant id, name or text, nothing to change, too many flags.
        """
        if not TENANT_ID.fullmatch(tenant_id):
            raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
        names = own.keys() | dropped
        if not names or own.keys() & dropped or not all(NAME.fullmatch(name) for name in names):
            raise InvalidRequest.of("flags", f"must be named, each once, by {NAME.pattern}")
        if not all(_is_value(value) for value in own.values()):
            raise InvalidRequest.of("flags", f"must be on, off, or 1 to {MAX_VALUE_LENGTH} printable characters")
        if len((self._store.get(tenant_id).keys() | own.keys()) - dropped) > MAX_FLAGS:
            raise InvalidRequest.of("flags", f"must not be more than {MAX_FLAGS}")
        self._store.change(tenant_id, own, dropped)


def _is_value(value: Flag) -> bool:
    return isinstance(value, bool) or (1 <= len(value) <= MAX_VALUE_LENGTH and value.isprintable())
