"""Every error this package raises on purpose; `entrypoints/http.py` maps each to a status.

AgentMemoryError        (not MemoryError: Python owns that name)
├── InvalidRequest      the caller's fault: `details` names each field and rule
├── Unauthorized        the API key is malformed, unknown, expired or revoked
├── Forbidden           the API key lacks the scope
├── NotFound            absent, expired, erased or another tenant's
├── Conflict            somebody wrote first, or the request contradicts what is stored
│   └── InProgress      the same idempotency key is still being worked on
├── PayloadTooLarge     over a documented size
│   └── NoRoomInRecord  a record with its value does not fit its store: the value needs a place of its own
├── RateLimited         over a limit of the tenant; nothing was done; retry later
└── StoreUnavailable    a store is down or resuming; nothing was half written; retry later
    └── BodyMissing     what a record points to is gone: so is the record, or it was replaced
"""

from collections.abc import Mapping, Sequence
from typing import Any


class AgentMemoryError(Exception):
    """Root of the tree. The message is for the caller: never content, a key or a driver's words."""

    def __init__(self, message: str, *, details: object = None, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.retry_after_s = retry_after_s


class InvalidRequest(AgentMemoryError):
    """A field breaks a rule."""

    def __init__(self, message: str, details: Sequence[Mapping[str, Any]] | None = None) -> None:
        super().__init__(message, details=details)

    @classmethod
    def of(cls, field: str, rule: str) -> "InvalidRequest":
        """One field, one rule."""
        return cls(f"{field}: {rule}", [{"field": field, "rule": rule}])


class Unauthorized(AgentMemoryError):
    """No tenant stands behind the key."""


class Forbidden(AgentMemoryError):
    """The key's scopes do not cover the route."""


class NotFound(AgentMemoryError):
    """Nothing there that this tenant may see."""


class Conflict(AgentMemoryError):
    """The stored record says otherwise; read it again."""


class InProgress(Conflict):
    """A request with the same idempotency key has not finished."""


class PayloadTooLarge(AgentMemoryError):
    """More bytes than a request or a record may have."""


class NoRoomInRecord(PayloadTooLarge):
    """A record does not fit its store; nothing was written. Its value can be kept beside it."""


class RateLimited(AgentMemoryError):
    """The tenant has used up what it may use."""

    def __init__(self, limit: str, allowed: int, retry_after_s: int) -> None:
        details = {"limit": limit, "allowed": allowed}
        super().__init__(f"the tenant's limit of {limit} is reached", details=details, retry_after_s=retry_after_s)
        self.limit = limit


class StoreUnavailable(AgentMemoryError):
    """A store did not do its work; the whole request may be sent again."""

    def __init__(self, message: str, retry_after_s: int = 1, details: object = None) -> None:
        super().__init__(message, details=details, retry_after_s=retry_after_s)


class BodyMissing(StoreUnavailable):
    """A value that a record points to is gone; read the record again."""
