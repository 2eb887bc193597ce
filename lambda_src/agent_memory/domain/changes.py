"""What the stream of the memory table tells the archive of one record."""

from dataclasses import dataclass
from datetime import datetime

from agent_memory.domain.archive import Key


@dataclass(frozen=True, slots=True)
class Arrival:
    """An episode that no object holds yet; `size` is the bytes that it takes there before compression."""

    key: Key
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record, which may be told more than once, and later than others that came after it.

    `place` names it within the stream. `body_before` and `body_after` are keys of the large value that the record
    owns; `is_evicted`: it left the hot tier for the cold one. `freed_bytes` are what usage counted for a record that
    DynamoDB removed by itself.
    """

    place: str
    tenant_id: str
    agent_id: str
    arrival: Arrival | None = None
    body_before: str | None = None
    body_after: str | None = None
    is_evicted: bool = False
    freed_bytes: int = 0
