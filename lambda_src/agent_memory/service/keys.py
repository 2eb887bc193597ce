"""API keys: make, list, revoke, and tell who stands behind one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from agent_memory.domain.api_key import (
    SCOPES,
    ApiKey,
    ApiKeyStore,
    PepperSource,
    cursor_key,
    hash_key,
    key_id_of,
    new_key,
)
from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.errors import InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. `cursor_key` signs this tenant's cursors; every pepper version gives another."""

    tenant_id: str
    scopes: tuple[str, ...]
    key_id: str
    cursor_key: str


class ApiKeys:
    """All use cases of API keys."""

    def __init__(self, store: ApiKeyStore, pepper: PepperSource, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock

    def create(
        self, tenant_id: str, scopes: tuple[str, ...], label: str, expires_at: datetime | None
    ) -> tuple[str, ApiKey]:
        """Make a key: (the key, shown this once; its record).

        Raises:
            InvalidRequest: a malformed tenant id or an unknown scope.
        """
        if not TENANT_ID.fullmatch(tenant_id):
            raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidRequest.of("scopes", f"must be some of {', '.join(SCOPES)}")
        key_id, key = new_key()
        version, pepper = self._pepper.latest()
        record = ApiKey(key_id, tenant_id, hash_key(pepper, key), version, scopes, label, self._clock(), expires_at)
        self._store.add(record)
        return key, record

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        """List, dead ones included."""
        return self._store.of_tenant(tenant_id)

    def revoke(self, key_id: str) -> None:
        """Refuse a key from now on; answers cached by the gateway lapse within 60 s.

        Raises:
            NotFound: no such key.
        """
        if not self._store.revoke(key_id, self._clock()):
            raise NotFound("no such key")

    def identify(self, authorization: str) -> Identity | None:
        """Read an Authorization header; None when nobody stands behind it."""
        scheme, _, key = authorization.partition(" ")
        key_id = key_id_of(key) if scheme.lower() == "bearer" else None
        record = self._store.get(key_id) if key_id else None
        if record is None:
            return None
        pepper = self._pepper.get(record.pepper_version)
        if not compare_digest(hash_key(pepper, key), record.key_hash) or not record.is_live(self._clock()):
            return None
        return Identity(record.tenant_id, record.scopes, record.key_id, cursor_key(pepper, record.tenant_id))
