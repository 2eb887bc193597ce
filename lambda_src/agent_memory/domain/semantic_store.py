"""The port of semantic memory's store, and what goes through it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from agent_memory.domain.chunking import Span
from agent_memory.domain.embedding import Vector
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.lexemes import Worded
from agent_memory.domain.merging import Signature
from agent_memory.domain.semantic import Memory, Mode, NewMemory


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on its way into the store: the request, the id it gets unless it merges, and what was made of it.

    `vectors` are those of its pieces by their model, the one that is searched first; models that are `pending` have to
    be asked later.
    """

    id: str
    new: NewMemory
    expires_at: datetime | None
    spans: tuple[Span, ...]
    vectors: Mapping[str, Sequence[Vector]]
    pending: tuple[str, ...]
    signature: Signature
    entries: tuple[str, ...]
    words: tuple[Worded, ...] = ()
    """Of each piece."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a draft; `apart_from` is a memory that it nearly repeats and contradicts."""

    memory: Memory
    deduplicated: bool
    apart_from: str | None = None

    @property
    def status(self) -> int:
        """201, or 202 for a text whose vectors are still to be made."""
        return 202 if self.memory.pending else 201

    def response(self) -> JsonObject:
        """`StoredResponse`."""
        told = self.memory.response() | {"deduplicated": self.deduplicated}
        return told | {"apart_from": self.apart_from} if self.apart_from else told


@dataclass(frozen=True, slots=True)
class MemorySearch:
    """What is looked for, in one tenant; times are inclusive, `entries` must all be the memory's.

    Mode vector needs no lexemes, and mode lexical no vector. `threshold` is a cosine.
    """

    vector: Vector | None
    model: str
    top_k: int
    now: datetime
    mode: Mode = "hybrid"
    lexemes: tuple[int, ...] = ()
    threshold: float | None = None
    agent_id: str | None = None
    namespace: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    entries: tuple[str, ...] = ()
    as_of: datetime | None = None
    purpose: str | None = None
    min_trust: str | None = None
    half_life_days: float | None = None
    explain: bool = False


class Hit(NamedTuple):
    """A memory that was found, its cosine where there is one, and the part that is nearest to what was looked for."""

    memory: Memory
    similarity: float | None
    passage: Span | None
    score: float
    parts: JsonObject | None = None


class MemoryPosition(NamedTuple):
    """A place in the order of memories, the newest first."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class MemoryWalk:
    """A walk over a tenant's memories, behind a position."""

    now: datetime
    agent_id: str | None = None
    namespace: str | None = None
    user_id: str | None = None
    after: MemoryPosition | None = None
    page_size: int = 51


class Entry(NamedTuple):
    """One text of a history; `replaced_at` is None for what still stands."""

    kind: Literal["current", "earlier", "apart"]
    id: str
    revision: int
    content: str
    metadata: JsonObject
    timestamp: datetime
    written_at: datetime
    replaced_at: datetime | None


class RequestAnswered(Exception):
    """The idempotency key has been used by a request of this hash, which did this; nothing was written now."""

    def __init__(self, request_hash: str, stored: Sequence[Stored]) -> None:
        super().__init__("this idempotency key has been used")
        self.request_hash = request_hash
        self.stored = stored


class MemoryStore(Protocol):
    """Texts with vectors, in scopes of (tenant, agent, user, namespace, purposes) within which near duplicates merge.

    A draft merges with an equal text, or with the nearest of a cosine over MERGE_ABOVE that says the same, unless that
    one comes from a more trusted source; the text before it goes into the history. A draft without a vector merges with
    an equal text only, and stays apart when its vector comes and is near another one. Every method raises
    StoreUnavailable when the store does not answer, and has then changed nothing.
    """

    def store(
        self, tenant_id: str, drafts: Sequence[Draft], model: str, now: datetime, answer: IdempotencyRecord | None
    ) -> list[Stored]:
        """Keep all drafts and what the request did, or nothing; `model` is the one that near duplicates are found by.

        Raises:
            RequestAnswered: the idempotency key has been used.
            PayloadTooLarge: together they are more than one request can carry.
        """

    def search(self, tenant_id: str, search: MemorySearch) -> Iterator[Hit]:
        """Yield live memories, the best by the rule of `fusion` first; fewer than `top_k` where no more are found."""

    def recall(self, tenant_id: str, search: MemorySearch) -> float | None:
        """Part of the memories nearest to the search's vector that are found as such; None where there are none."""

    def get(self, tenant_id: str, memory_id: str, now: datetime) -> Memory | None:
        """Read a live memory."""

    def walk(self, tenant_id: str, walk: MemoryWalk) -> Iterator[tuple[MemoryPosition, Memory | None]]:
        """Yield up to a page of live memories, the newest first; None for one that went in the meantime."""

    def history(self, tenant_id: str, memory_id: str, now: datetime) -> Iterator[Entry]:
        """Yield the texts of a live memory, the newest first, then those kept apart from it; else nothing."""

    def delete(self, tenant_id: str, memory_id: str, now: datetime, answer: IdempotencyRecord | None) -> bool:
        """Remove a live memory with its history; False when there is none.

        Raises:
            RequestAnswered: the idempotency key has been used.
        """

    def remove_expired(self, tenant_id: str, now: datetime) -> int:
        """Remove some memories that nobody finds any more: how many vectors they had."""

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """Remove some memories of an agent, live or not: how many; 0 when none is left."""
