"""Field types that requests share, and the optional fields of every write.

Pydantic runs in strict mode everywhere: "1" is no integer and 1.0 is no version.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from agent_memory.domain.identifiers import check_id
from agent_memory.domain.times import parse_time
from agent_memory.errors import InvalidRequest

MAX_LIMIT = 500
_MAX_DIGITS = 10
MAX_TTL_HOURS = 24 * 365 * 100
MAX_PURPOSES = 32


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        msg = "must be an RFC 3339 time in a string"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError as a broken rule
    return parse_time(value)


def _decimal(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS):
        msg = f"must be a whole number of at most {_MAX_DIGITS} decimal digits"
        raise ValueError(msg)
    return int(value)


Id = Annotated[str, AfterValidator(check_id), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 256})]
Time = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Count = Annotated[int, BeforeValidator(_decimal)]
Limit = Annotated[Count, Field(ge=1, le=MAX_LIMIT)]
JsonObject = dict[str, Any]
Trust = Literal["direct_user", "inference", "tool_internal", "tool_external"]


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # a cold start builds the models that its request needs, and no other
    )


class Source(Body):
    """Where a record came from."""

    kind: Id
    id: Id


class Write(Body):
    """What every write may say about its record."""

    user_id: Id | None = None
    purposes: Annotated[list[Id], Field(max_length=MAX_PURPOSES)] | None = None
    metadata: JsonObject | None = None
    source: Source | None = None
    trust: Trust | None = None
    ttl_hours: Annotated[float, Field(gt=0, le=MAX_TTL_HOURS, allow_inf_nan=False)] | None = None
    expires_at: Time | None = None

    def expiry(self, now: datetime) -> datetime | None:
        """When the record expires, or None when the write does not say.

        Raises:
            InvalidRequest: both forms given, or a time that has passed.
        """
        if self.ttl_hours is not None and self.expires_at is not None:
            raise InvalidRequest.of("expires_at", "must not be given together with ttl_hours")
        field, expiry = "expires_at", self.expires_at
        if self.ttl_hours is not None:
            field, expiry = "ttl_hours", now + timedelta(hours=self.ttl_hours)
        if expiry is not None and expiry <= now:
            raise InvalidRequest.of(field, "must lie in the future")
        return expiry

    def annotations(self) -> JsonObject:
        """The descriptive fields that were given, as they were given."""
        given: JsonObject = {
            "user_id": self.user_id,
            "purposes": self.purposes,
            "metadata": self.metadata,
            "source": dict(self.source) if self.source else None,
            "trust": self.trust,
        }
        return {name: value for name, value in given.items() if value is not None}
