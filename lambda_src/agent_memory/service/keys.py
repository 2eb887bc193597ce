"""API keys: make, list, revoke, and tell who stands behind one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from agent_memory.domain.api_key import (
    MOST_LISTED,
    MOST_LIVE,
    SCOPES,
    ApiKey,
    ApiKeyStore,
    PepperSource,
    cursor_key,
    hash_key,
    key_id_of,
    new_key,
)
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.errors import Conflict, InvalidRequest, NotFound, StoreUnavailable

_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. `cursor_key` (hex) signs this tenant's cursors; see `ApiKeys.identify`."""

    tenant_id: str
    scopes: tuple[str, ...]
    key_id: str
    cursor_key: str
    is_use_due: bool = False


class ApiKeys:
    """All use cases of API keys."""

    def __init__(self, store: ApiKeyStore, pepper: PepperSource, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._usual_version = 1

    def create(
        self,
        tenant_id: str,
        scopes: tuple[str, ...],
        label: str,
        expires_at: datetime | None,
        answer: Callable[[ApiKey], IdempotencyRecord | None] = lambda _: None,
    ) -> tuple[str, ApiKey]:
        """Make a key: (the key, shown this once; its record). `answer` is kept with it and must not hold the key.

        Raises:
            InvalidRequest: a malformed tenant id or an unknown scope.
            Conflict: the tenant has as many keys as it may have.
            AlreadyAnswered: the idempotency key has been used.
        """
        if not TENANT_ID.fullmatch(tenant_id):
            raise InvalidRequest.of("tenant_id", f"must match {TENANT_ID.pattern}")
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidRequest.of("scopes", f"must be some of {', '.join(SCOPES)}")
        self._check_room(tenant_id)
        key_id, key = new_key()
        version, pepper = self._pepper.latest()
        record = ApiKey(key_id, tenant_id, hash_key(pepper, key), version, scopes, label, self._clock(), expires_at)
        self._store.add(record, answer(record))
        return key, record

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        """List, dead ones included."""
        return self._store.of_tenant(tenant_id)

    def revoke(self, key_id: str, tenant_id: str | None = None, answer: IdempotencyRecord | None = None) -> None:
        """Refuse a key from now on; answers cached by the gateway lapse within 60 s.

        Raises:
            NotFound: no such key, or another's than the tenant's that is named.
            AlreadyAnswered: the idempotency key has been used.
        """
        if not self._store.revoke(key_id, self._clock(), tenant_id, answer):
            raise NotFound("no such key")

    def expire(self, key_id: str, at: datetime) -> None:
        """Let a key end later, while the one that takes its place works already.

        Raises:
            NotFound: no such key.
        """
        if not self._store.expire(key_id, at):
            raise NotFound("no such key")

    def identify(self, authorization: str) -> Identity | None:
        """Read an Authorization header; None when nobody stands behind it.

        The cursor key that signs comes from the pepper of the API key. One from the pepper before follows it, so that
        a walk begun with the old API key goes on with the new one.
        """
        scheme, _, key = authorization.partition(" ")
        key_id = key_id_of(key) if scheme.lower() == "bearer" else None
        if key_id is None:
            return None
        record = self._store.get(key_id)
        # An unknown id is given the same work, so that the time of the answer does not tell it from a wrong secret.
        pepper = self._pepper.get(record.pepper_version) if record else self._usual_pepper()
        is_right = compare_digest(hash_key(pepper, key), record.key_hash if record else _NO_HASH)
        now = self._clock()
        if record is None or not is_right or not record.is_live(now):
            return None
        self._usual_version = record.pepper_version
        signing = cursor_key(pepper, record.tenant_id) + self._cursor_key_before(record)
        return Identity(record.tenant_id, record.scopes, record.key_id, signing, record.is_use_due(now))

    def note_use(self, identity: Identity) -> None:
        """Remember that the key was used; StoreUnavailable when that could not be done soon."""
        self._store.note_use(identity.key_id, self._clock())

    def _usual_pepper(self) -> bytes:
        try:
            return self._pepper.get(self._usual_version)
        except StoreUnavailable:
            return _NO_HASH.encode()

    def _cursor_key_before(self, record: ApiKey) -> str:
        if record.pepper_version > 1:
            with suppress(StoreUnavailable):  # Parameter Store forgets versions, the oldest of a hundred first
                return cursor_key(self._pepper.get(record.pepper_version - 1), record.tenant_id)
        return ""

    def _check_room(self, tenant_id: str) -> None:
        known, now = self._store.of_tenant(tenant_id), self._clock()
        if sum(key.is_live(now) for key in known) >= MOST_LIVE:
            raise Conflict(f"the tenant has {MOST_LIVE} live keys; revoke one first", details={"limit": MOST_LIVE})
        if len(known) >= MOST_LISTED:
            raise Conflict(f"the tenant has made {MOST_LISTED} keys in 90 days", details={"limit": MOST_LISTED})
