"""What is said of API keys over HTTP: requests to make one, and what is shown of it, which is never its hash."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from agent_memory.domain.api_key import ApiKey
from agent_memory.domain.fields import Body, Time
from agent_memory.errors import InvalidRequest

MAX_DAYS = 3650
MAX_LABEL = 200


def _printable(value: str) -> str:
    if not value.isprintable():
        msg = "must hold printable characters only"
        raise ValueError(msg)
    return value


class NewKey(Body):
    """Body of POST /v1/keys."""

    label: Annotated[str, Field(max_length=MAX_LABEL), AfterValidator(_printable)] = ""
    scopes: Annotated[list[Literal["read", "write", "erase", "admin"]], Field(min_length=1, max_length=4)]
    expires_at: Time | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None

    def expiry(self, now: datetime) -> datetime | None:
        """When the key ends.

        Raises:
            InvalidRequest: both forms given, or a time that has passed or is too far away.
        """
        if self.expires_in_days is not None:
            if self.expires_at is not None:
                raise InvalidRequest.of("expires_at", "must not be given together with expires_in_days")
            return now + timedelta(days=self.expires_in_days)
        if self.expires_at is not None and not now < self.expires_at <= now + timedelta(days=MAX_DAYS):
            raise InvalidRequest.of("expires_at", f"must lie in the future, by {MAX_DAYS} days at most")
        return self.expires_at


class KeyResponse(BaseModel):
    """A key as it is listed; `last_used_at` is exact to the hour."""

    key_id: str
    label: str
    scopes: list[str]
    is_live: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, now: datetime) -> "KeyResponse":
        """Show a key."""
        return cls(
            key_id=key.key_id,
            label=key.label,
            scopes=list(key.scopes),
            is_live=key.is_live(now),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class NewKeyResponse(KeyResponse):
    """A key that was just made; `api_key` is shown this once, and is missing from the answer to a repetition."""

    api_key: str | None = None


class KeysResponse(BaseModel):
    """All keys of the tenant, dead ones of the last 90 days included."""

    keys: list[KeyResponse]
    next_cursor: str | None = None
