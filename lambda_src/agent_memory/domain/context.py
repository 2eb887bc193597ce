"""Context: what every layer knows that helps to answer one message, asked for at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, Field

from agent_memory.domain.chunking import Span
from agent_memory.domain.embedding import Vector
from agent_memory.domain.fields import Body, Id, JsonObject, Time
from agent_memory.domain.semantic import MAX_TOP_K, Query
from agent_memory.domain.state import StateResponse

MAX_TOKEN_BUDGET = 100_000
SUMMARIES = "summaries"
"""The namespace of what sessions came to; the other memories are all that is not in it."""

Layer = Literal["working", "vectors", "facts", "memories", "summaries", "procedures"]
OF_THE_DATABASE: tuple[Layer, ...] = ("facts", "memories", "summaries", "procedures")


class ContextRequest(Body):
    """Body of POST /v1/context; `at` is the clock for what is valid, has happened and is recent."""

    agent_id: Id
    session_id: Id | None = None
    user_id: Id | None = None
    message: Query
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 5
    token_budget: Annotated[int, Field(ge=1, le=MAX_TOKEN_BUDGET)] = 800
    purpose: Id | None = None
    at: Time | None = None


class RecallResponse(BaseModel):
    """A memory or a summary: of a long one the passage that was found, with its place in the `length` characters."""

    id: str
    content: str
    score: float
    similarity_score: float | None
    agent_id: str
    namespace: str
    user_id: str | None
    session_id: str | None
    metadata: JsonObject
    timestamp: Time
    trust: str
    passage: dict[str, int]
    length: int


class Timings(BaseModel):
    """Milliseconds; null for what was not asked or has not answered."""

    working: float | None
    embedding: float | None
    search: float | None
    total: float


class ContextResponse(BaseModel):
    """The block for a system prompt, and what each layer had; `degraded` names layers that did not answer in time."""

    block: str
    block_tokens: int
    working: StateResponse | None
    facts: list[dict[str, Any]]
    memories: list[RecallResponse]
    summaries: list[RecallResponse]
    procedures: list[dict[str, Any]]
    timings: Timings
    truncated: bool
    degraded: list[Layer] | None = None


@dataclass(frozen=True, slots=True)
class ContextQuery:
    """What is asked of the database. Without a vector only words are looked for.

    `now` says what has expired, whatever time is asked about. `as_of` is that time; None is now, by the clock of the
    function: another one's may be a little ahead, and what it has written counts. `known_facts` is the version of the
    user's facts that the caller holds already.
    """

    agent_id: str
    user_id: str | None
    lexemes: tuple[int, ...]
    vector: Vector | None
    model: str
    top_k: int
    now: datetime
    as_of: datetime | None
    purpose: str | None
    known_facts: str | None = None


@dataclass(frozen=True, slots=True)
class UsersFacts:
    """A user's current facts, as the API shows them, of one version; they hold until something begins or ends.

    `partial` when there are more of them than are told.
    """

    version: str
    facts: tuple[JsonObject, ...]
    since: datetime
    until: datetime | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Recall:
    """A memory as a context needs it: the passage that was found in place of a longer text."""

    id: str
    content: str
    passage: Span
    length: int
    score: float
    similarity: float | None
    agent_id: str
    namespace: str
    user_id: str | None
    session_id: str | None
    metadata: JsonObject
    timestamp: datetime
    trust: str

    @property
    def is_part(self) -> bool:
        """Whether there is more of it than the passage."""
        return self.passage.end - self.passage.start < self.length

    def response(self) -> JsonObject:
        """`RecallResponse`."""
        return {
            "id": self.id,
            "content": self.content,
            "score": round(self.score, 6),
            "similarity_score": None if self.similarity is None else round(self.similarity, 6),
            "agent_id": self.agent_id,
            "namespace": self.namespace,
            "user_id": self.user_id,
            "session_id": self.session_id,
            "metadata": self.metadata,
            "timestamp": self.timestamp,
            "trust": self.trust,
            "passage": {"start": self.passage.start, "end": self.passage.end},
            "length": self.length,
        }


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the database had, the best first. `facts` is None when the version that the caller knows still stands.

    `partial` when not all of the others had room; facts say so themselves, for they may be told again from memory.
    """

    facts: UsersFacts | None
    memories: Sequence[Recall] = ()
    summaries: Sequence[Recall] = ()
    procedures: Sequence[JsonObject] = ()
    partial: bool = False


class ContextStore(Protocol):
    """One question to the database about all of its layers."""

    def gather(self, tenant_id: str, query: ContextQuery, timeout_s: float) -> Gathered:
        """Read everything by one call; StoreUnavailable when it has not answered in time."""
