"""Semantic memory: texts that are found again by what they mean."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from agent_memory.domain.chunking import estimate_tokens
from agent_memory.domain.fields import Body, Id, JsonObject, Limit, Time, Trust, Write
from agent_memory.domain.fusion import HALF_LIFE_DAYS

MAX_CONTENT_BYTES = 1_048_576
MAX_QUERY_CHARACTERS = 8192
MAX_QUERY_TOKENS = 2000
MAX_TOP_K = 100
MAX_BATCH = 100
MIN_HALF_LIFE_DAYS, MAX_HALF_LIFE_DAYS = 0.001, 36_500


def _text(value: str) -> str:
    if not value.strip():
        msg = "must not be empty"
        raise ValueError(msg)
    if "\0" in value:
        msg = "must not hold the character NUL"
        raise ValueError(msg)
    return value


def _query(value: str) -> str:
    if estimate_tokens(value) > MAX_QUERY_TOKENS:
        msg = f"must have at most {MAX_QUERY_TOKENS} tokens by estimate"
        raise ValueError(msg)
    return value


Text = Annotated[str, AfterValidator(_text)]
Query = Annotated[Text, Field(max_length=MAX_QUERY_CHARACTERS), AfterValidator(_query)]
Mode = Literal["hybrid", "vector", "lexical"]
HalfLife = Annotated[float, Field(ge=MIN_HALF_LIFE_DAYS, le=MAX_HALF_LIFE_DAYS, allow_inf_nan=False)]
Cosine = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class NewMemory(Write):
    """Body of POST /v1/memory/semantic, and one item of a batch."""

    agent_id: Id
    content: Text
    namespace: Id = "default"
    session_id: Id | None = None
    timestamp: Time | None = None
    dedupe: bool = True
    pinned: bool | None = None


class MemoryBatch(Body):
    """Body of POST /v1/memory/semantic/batch; each item is judged by itself."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


class SearchRequest(Body):
    """Body of POST /v1/memory/semantic/search; `from` and `to` are inclusive and mean the memories' own time.

    `as_of` looks at what had occurred by then, from then. A memory with purposes is found for one of these alone.
    """

    query: Query
    agent_id: Id | None = None
    namespace: Id | None = None
    user_id: Id | None = None
    session_id: Id | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 10
    threshold: Cosine | None = None
    metadata_filter: JsonObject | None = None
    start: Annotated[Time | None, Field(alias="from")] = None
    end: Annotated[Time | None, Field(alias="to")] = None
    as_of: Time | None = None
    purpose: Id | None = None
    min_trust: Trust | None = None
    mode: Mode = "hybrid"
    half_life_days: HalfLife | None = HALF_LIFE_DAYS
    explain: bool = False

    @model_validator(mode="after")
    def _fits_its_mode(self) -> "SearchRequest":
        if self.mode == "lexical" and self.threshold is not None:
            msg = "threshold is a cosine, which mode lexical does not have"
            raise ValueError(msg)
        if self.mode != "hybrid" and "half_life_days" in self.model_fields_set:
            msg = "half_life_days is for mode hybrid alone"
            raise ValueError(msg)
        return self


class MemoriesQuery(Body):
    """Query of GET /v1/memory/semantic."""

    agent_id: Id | None = None
    namespace: Id | None = None
    user_id: Id | None = None
    limit: Limit = 50
    cursor: str | None = None


class MemoryResponse(BaseModel):
    """One memory; `similarity_score` is the cosine in a search and null elsewhere."""

    id: str
    agent_id: str
    content: str
    namespace: str
    metadata: JsonObject
    similarity_score: float | None
    created_at: Time
    updated_at: Time
    timestamp: Time
    expires_at: Time | None
    user_id: str | None
    session_id: str | None
    revision: int
    trust: str
    pinned: bool
    embedding: Literal["ready", "pending"]


class FoundPart(BaseModel):
    """From where to where a memory's nearest part goes, in characters."""

    start: int
    end: int


class FoundMemory(MemoryResponse):
    """A memory that was found; `similarity_score` is null where no vector was compared, and `passage` with it."""

    score: float
    passage: FoundPart | None
    parts: dict[str, float | None] | None = None


class StoredResponse(MemoryResponse):
    """A memory that was just stored: `deduplicated` when it was merged into an earlier one."""

    deduplicated: bool


class MemoriesResponse(BaseModel):
    """One page of a walk."""

    results: list[MemoryResponse]
    next_cursor: str | None


class SearchResponse(BaseModel):
    """What was found, the best first."""

    results: list[FoundMemory]


class HistoryEntry(BaseModel):
    """One text: what the memory says now, what it said earlier, or a near repetition that was kept apart."""

    kind: Literal["current", "earlier", "apart"]
    id: str
    revision: int
    content: str
    metadata: JsonObject
    timestamp: Time
    written_at: Time
    replaced_at: Time | None


class HistoryResponse(BaseModel):
    """What a memory says and said, the newest first, then what was kept apart from it."""

    id: str
    history: list[HistoryEntry]


@dataclass(frozen=True, slots=True)
class Memory:
    """One stored text; while `pending` it lacks vectors. `timestamp` is the caller's time of it, or when it came."""

    id: str
    agent_id: str
    namespace: str
    user_id: str | None
    session_id: str | None
    revision: int
    content: str
    metadata: JsonObject
    purposes: tuple[str, ...]
    source: JsonObject | None
    trust: str
    pinned: bool
    timestamp: datetime
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    pending: bool = False

    def response(self, similarity: float | None = None) -> JsonObject:
        """`MemoryResponse`, with purposes and source where they were given."""
        given: JsonObject = {"purposes": list(self.purposes)} if self.purposes else {}
        if self.source is not None:
            given["source"] = self.source
        return {
            "id": self.id,
            "agent_id": self.agent_id,
            "content": self.content,
            "namespace": self.namespace,
            "metadata": self.metadata,
            "similarity_score": None if similarity is None else round(similarity, 6),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "timestamp": self.timestamp,
            "expires_at": self.expires_at,
            "user_id": self.user_id,
            "session_id": self.session_id,
            "revision": self.revision,
            "trust": self.trust,
            "pinned": self.pinned,
            "embedding": "pending" if self.pending else "ready",
            **given,
        }
