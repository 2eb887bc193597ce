"""API keys: `amk_<id>_<secret><checksum>`.

The secret has 190 random bits, so one keyed hash is enough: slow hashes are for passwords. The checksum lets
a mistyped key or junk be refused without reading the store.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent_memory.domain.idempotency import IdempotencyRecord

SCOPES = ("read", "write", "erase", "admin")
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 16
_SECRET_LENGTH = 32
_CHECKSUM_LENGTH = 6
_PREFIX = "amk"
# A key's last use is noted at most so often: what an hour tells of a forgotten key, a minute would not tell better.
USE_NOTED_EVERY = timedelta(hours=1)
# Dead keys stay listed for so long, and are then removed.
DEAD_FOR = timedelta(days=90)
# A tenant's keys that work, and all that are listed: a caller gone wild must not fill the table.
MOST_LIVE = 100
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is stored of a key; the key itself is shown once and kept nowhere."""

    key_id: str
    tenant_id: str
    key_hash: str
    pepper_version: int
    scopes: tuple[str, ...]
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Neither expired nor revoked."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def is_use_due(self, now: datetime) -> bool:
        """Whether its last use was noted so long ago that this one should be."""
        return self.last_used_at is None or now - self.last_used_at >= USE_NOTED_EVERY


class ApiKeyStore(Protocol):
    """API keys, by id."""

    def get(self, key_id: str) -> ApiKey | None:
        """Read a key's record."""

    def add(self, key: ApiKey, answer: IdempotencyRecord | None = None) -> None:
        """Store a new key, and the answer to its request: both or neither.

        Raises:
            AlreadyAnswered: the idempotency key has been used.
        """

    def revoke(
        self, key_id: str, at: datetime, tenant_id: str | None = None, answer: IdempotencyRecord | None = None
    ) -> bool:
        """Mark as revoked; False when there is no such key, or when it is another's than the tenant's that is named.

        Raises:
            AlreadyAnswered: the idempotency key has been used.
        """

    def expire(self, key_id: str, at: datetime) -> bool:
        """Let it end at this time, unless it ends earlier; False when there is no such key."""

    def note_use(self, key_id: str, at: datetime) -> None:
        """Remember when the key was used, unless a use of the last hour is known; given up soon."""

    def of_tenant(self, tenant_id: str) -> list[ApiKey]:
        """List a tenant's keys, in the order of their ids."""


class PepperSource(Protocol):
    """The secret that keys all hashes; every version stays readable."""

    def latest(self) -> tuple[int, bytes]:
        """(version, pepper) for new keys."""

    def get(self, version: int) -> bytes:
        """The pepper under which an older key was made."""


def new_key() -> tuple[str, str]:
    """Make a key: (key id, key)."""
    key_id = _random(_ID_LENGTH)
    body = f"{_PREFIX}_{key_id}_{_random(_SECRET_LENGTH)}"
    return key_id, body + _checksum(body)


def key_id_of(key: str) -> str | None:
    """Read the id out of a well-formed key; None for anything else."""
    prefix, _, rest = key.partition("_")
    key_id, _, tail = rest.partition("_")
    well_formed = (
        prefix == _PREFIX
        and len(key_id) == _ID_LENGTH
        and len(tail) == _SECRET_LENGTH + _CHECKSUM_LENGTH
        and (key_id + tail).isascii()
        and (key_id + tail).isalnum()
    )
    if not well_formed or _checksum(key[:-_CHECKSUM_LENGTH]) != key[-_CHECKSUM_LENGTH:]:
        return None
    return key_id


def hash_key(pepper: bytes, key: str) -> str:
    """Hash a key under the pepper."""
    return hmac.new(pepper, key.encode(), hashlib.sha256).hexdigest()


def cursor_key(pepper: bytes, tenant_id: str) -> str:
    """Derive the tenant's key for signing cursors (hex)."""
    return hmac.new(pepper, b"cursor:" + tenant_id.encode(), hashlib.sha256).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
