"""Limits of a tenant: how much it may ask for and keep. None is no limit."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

# A limit can be raised before the month ends, so nobody is told to stay away for weeks.
_LONGEST_RETRY_S = 3600
# Of a limit; DynamoDB's numbers are exact to 38, JSON's in most languages to 15.
MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed.

    - `requests_per_second`: in each second of the clock, so up to twice that around the seam of two.
    - `requests_per_month`: every authenticated request, refused ones and repetitions included.
    - `embeddings_per_month`: texts that the model is called for.
    - `stored_bytes`: states and episodes in DynamoDB, and as much again in S3, counted as usage counts them. What
      moves to the archive by itself is never refused.
    - `vectors`: pieces of stored texts.
    - `retention_days`: how long an episode is kept, whatever its writer says.
    """

    requests_per_second: int | None = None
    requests_per_month: int | None = None
    embeddings_per_month: int | None = None
    stored_bytes: int | None = None
    vectors: int | None = None
    retention_days: int | None = None

    @classmethod
    def read(cls, written: str | None) -> "Limits":
        """What `write` wrote; nothing is no limits."""
        return _read(written or "{}")

    def write(self) -> str:
        """Compact JSON of the limits there are, empty when there are none."""
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(told, separators=(",", ":")) if told else ""

    def overridden(self, by: Mapping[str, int | None]) -> "Limits":
        """These, but for what the tenant has of its own; None there is no limit."""
        return Limits(**{**asdict(self), **{name: value for name, value in by.items() if name in NAMES}})

    @property
    def retention(self) -> timedelta | None:
        """How long an episode is kept."""
        return None if self.retention_days is None else timedelta(days=self.retention_days)

    @property
    def limits_requests(self) -> bool:
        """Whether a request can be one too many."""
        return self.requests_per_second is not None or self.requests_per_month is not None


MAX_RETENTION_DAYS = 36_500
NO_LIMITS = Limits()
NAMES = tuple(field.name for field in fields(Limits))


@cache
def _read(written: str) -> Limits:
    """Parsed once: a warm function serves few different limits."""
    return Limits(**json.loads(written))


def of_month(name: str, now: datetime) -> str:
    """The counter of a month."""
    return f"{name}:{now:%Y-%m}"


def until_next_month_s(now: datetime) -> int:
    """When to come again with what the month has no room for; an hour at most."""
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    first = now.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(1, min(int((first - now).total_seconds()), _LONGEST_RETRY_S))


class LimitStore(Protocol):
    """What tenants have of their own in place of the deployment's limits."""

    def get(self, tenant_id: str) -> Mapping[str, int | None]:
        """A tenant's own limits by name; None is no limit."""

    def change(self, tenant_id: str, own: Mapping[str, int | None], dropped: Collection[str]) -> None:
        """Set some, and drop some, so that the deployment's hold again."""
