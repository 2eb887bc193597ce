"""The port of procedural memory's store, and what goes through it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from agent_memory.domain.embedding import Vector
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.procedures import Procedure

MAX_PROCEDURES = 1000
"""Of one agent, and of all agents together: a match compares all of both."""


class Trigger(NamedTuple):
    """A phrase, and its words as numbers, each once."""

    phrase: str
    lexemes: tuple[int, ...]


class InModel(NamedTuple):
    """Vectors of all phrases, in their order, by one model."""

    model: str
    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class ProcedureDraft:
    """A version on its way into the store; `agent_id` None means all agents."""

    name: str
    agent_id: str | None
    content: JsonObject
    expires_at: datetime | None
    triggers: tuple[Trigger, ...]
    vectors: tuple[InModel, ...]


class Put(NamedTuple):
    """What stands now; `created` when it is a new version."""

    procedure: Procedure
    created: bool

    def response(self) -> JsonObject:
        """`PutProcedureResponse`."""
        return self.procedure.response() | {"created": self.created}


@dataclass(frozen=True, slots=True)
class ProcedureSearch:
    """What is looked for: `agent_id` None finds the procedures of all agents alone, `user_id` None anybody's."""

    vector: Vector
    model: str
    lexemes: tuple[int, ...]
    now: datetime
    top_k: int
    agent_id: str | None = None
    user_id: str | None = None
    purpose: str | None = None
    least: float = 0.0


class Match(NamedTuple):
    """A procedure that was found, by its best phrase; `similarity` is None when no vector could be compared."""

    procedure: Procedure
    phrase: str
    score: float
    similarity: float | None
    overlap: float

    def response(self) -> JsonObject:
        """`MatchResponse`."""
        return self.procedure.response() | {
            "phrase": self.phrase,
            "score": round(self.score, 6),
            "similarity_score": None if self.similarity is None else round(self.similarity, 6),
            "overlap": round(self.overlap, 6),
        }


class Matches(NamedTuple):
    """What was found, the best first; `partial` when more was found than one answer carries."""

    found: list[Match]
    partial: bool


class ProcedurePosition(NamedTuple):
    """A place in the order of procedures, by name; the one of all agents, whose id is '', comes first."""

    name: str
    agent_id: str


class Unembedded(NamedTuple):
    """The newest version of a procedure that lacks vectors of some model; `agent_id` is '' for all agents."""

    agent_id: str
    name: str
    version: int
    phrases: list[str]


class ProcedureVectors(Protocol):
    """Vectors of procedures that come after them, when the deployment changes its embedding model."""

    def without(self, tenant_id: str, model: str) -> Sequence[Unembedded]:
        """Some procedures that lack vectors of a model; none at the end."""

    def add(self, tenant_id: str, procedure: Unembedded, vectors: InModel) -> None:
        """Add the vectors of all phrases; of a version that is no longer the newest, nothing."""

    def remove(self, tenant_id: str, model: str) -> int:
        """Take away some vectors of a model: how many; 0 when none is left."""


class ProcedureAnswered(Exception):
    """The idempotency key has been used by a request of this hash, which did this; nothing was written now."""

    def __init__(self, request_hash: str, put: Put | None) -> None:
        super().__init__("this idempotency key has been used")
        self.request_hash = request_hash
        self.put = put


class ProcedureStore(Protocol):
    """Procedures by (tenant, agent or all agents, name), each with its versions from 1 on.

    An agent's own procedure stands before the one of all agents of the same name. What has expired is gone, and what is
    put there afterwards begins with version 1. Every method raises StoreUnavailable when the store does not answer, and
    has then changed nothing.
    """

    def put(self, tenant_id: str, draft: ProcedureDraft, now: datetime, answer: IdempotencyRecord | None) -> Put:
        """Make a new version, unless the newest one says the same; then only the expiry is changed.

        Raises:
            ProcedureAnswered: the idempotency key has been used.
            Conflict: the scope has MAX_PROCEDURES already.
        """

    def put_all(self, tenant_id: str, drafts: Sequence[ProcedureDraft], now: datetime) -> list[Put]:
        """As `put` for each, or for none.

        Raises:
            Conflict: a scope has MAX_PROCEDURES already.
        """

    def get(
        self, tenant_id: str, name: str, agent_id: str | None, version: int | None, now: datetime
    ) -> Procedure | None:
        """Read the agent's own, or else the one of all agents: a version, or the newest."""

    def walk(
        self, tenant_id: str, agent_id: str | None, after: ProcedurePosition | None, page_size: int, now: datetime
    ) -> Iterator[tuple[ProcedurePosition, Procedure]]:
        """Yield the newest versions by name: all, or what an agent may use."""

    def versions(
        self, tenant_id: str, name: str, agent_id: str | None, before: int | None, page_size: int, now: datetime
    ) -> Iterator[tuple[int, Procedure]]:
        """Yield the versions of what `get` reads, the newest first, from the one before `before` on."""

    def match(self, tenant_id: str, search: ProcedureSearch) -> Matches:
        """The best, as `procedure_match` scores them, ties by name."""

    def delete(
        self, tenant_id: str, name: str, agent_id: str | None, now: datetime, answer: IdempotencyRecord | None
    ) -> bool:
        """Remove a live procedure with all versions; False when there is none.

        Raises:
            ProcedureAnswered: the idempotency key has been used.
        """

    def purge(self, tenant_id: str, agent_id: str) -> int:
        """Remove some of an agent's own procedures: how many; 0 when none is left."""
