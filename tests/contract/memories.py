"""A semantic memory under test: one store, one tenant, a model of words and a clock that a test turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt, IdempotencyRecord, begin
from agent_memory.domain.jobs import Job
from agent_memory.domain.json_document import parse
from agent_memory.domain.late_vectors import LateVectors
from agent_memory.domain.semantic import MemoriesQuery, NewMemory, SearchRequest
from agent_memory.domain.semantic_store import MemoryStore, Stored
from agent_memory.domain.usage import Tally
from agent_memory.service.drafting import Drafting
from agent_memory.service.late_vectors import EmbedJobs, LaterVectors, MissingVectors
from agent_memory.service.semantic import SemanticMemory
from agent_memory.service.semantic_batch import Outcome, SemanticBatches
from agent_memory.service.subjects import Subjects
from tests.fakes.clock import Clock
from tests.fakes.control import InMemorySubjectStore
from tests.fakes.embedding import WordEmbedder
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.jobs import InMemoryJobStore

CHUNK_TOKENS = 64
PIANO = "Noor's piano weighs 240 kilos and goes up to the fourth floor."
CASHEWS = "Pim is allergic to cashews."
CRANE = "The crane for the move is booked for the ninth of June."


@dataclass
class Memories:
    """One tenant's view; `another` is the same store as a second function sees it."""

    store_: MemoryStore
    another_store: Callable[[], MemoryStore]
    tenant: str
    clock: Clock
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    tally: Tally = field(default_factory=Tally)

    late: LateVectors | None = None
    jobs: InMemoryJobStore = field(default_factory=lambda: InMemoryJobStore(InMemoryIdempotencyStore()))

    def __post_init__(self) -> None:
        drafting = Drafting(self.embedder, CHUNK_TOKENS, self.tally, later=LaterVectors(self.jobs))
        subjects = Subjects(InMemorySubjectStore())
        self.semantic = SemanticMemory(self.store_, self.embedder, drafting, subjects, self.clock)
        self.batches = SemanticBatches(self.store_, drafting, subjects, self.clock)

    def another(self) -> "Memories":
        return replace(self, store_=self.another_store())

    def of(self, tenant: str) -> "Memories":
        return replace(self, tenant=tenant)

    def store(self, content: str, *, record: IdempotencyRecord | None = None, **fields: Any) -> Stored:
        new = NewMemory.model_validate({"agent_id": "a", "content": content} | fields)
        return self.semantic.store(self.tenant, new, Attempt(record))

    def store_all(self, items: Sequence[Any], record: IdempotencyRecord | None = None) -> list[Outcome]:
        return self.batches.store(self.tenant, items, Attempt(record), lambda outcomes: {"results": len(outcomes)})

    def search(self, query: str, **fields: Any) -> list[JsonObject]:
        found = self.semantic.search(self.tenant, SearchRequest.model_validate({"query": query} | fields))
        return [parse(each) for each in found.results]

    def found(self, query: str, **fields: Any) -> list[str]:
        """Contents, the best first."""
        return [each["content"] for each in self.search(query, **fields)]

    def walked(self, limit: int = 50, **filters: Any) -> list[list[str]]:
        """Contents of a whole walk, page by page."""
        pages, cursor = [], None
        while True:
            query = MemoriesQuery.model_validate({"limit": limit, "cursor": cursor} | filters)
            page, cursor = self.semantic.walk(self.tenant, query, b"key")
            pages.append([parse(each)["content"] for each in page.items])
            if cursor is None:
                return pages

    def history(self, memory_id: str) -> list[tuple[str, str]]:
        """(kind, content) of each entry."""
        told = self.semantic.history(self.tenant, memory_id)
        return [(entry["kind"], entry["content"]) for entry in map(parse, told.results)]

    def delete(self, memory_id: str, record: IdempotencyRecord | None = None) -> None:
        self.semantic.delete(self.tenant, memory_id, Attempt(record))

    def embed_jobs(self) -> EmbedJobs:
        """What does the jobs that stores leave behind; waiting turns the clock."""
        assert self.late
        missing = MissingVectors(self.late, self.embedder, CHUNK_TOKENS, self.clock)
        return EmbedJobs(self.late, missing, self.clock, lambda seconds: void(self.clock.turn(seconds=seconds)), 10)

    def queued(self) -> list[Job]:
        """The jobs that nobody has done yet."""
        found = [self.jobs.get(*each) for each in self.jobs.outbox]
        return [job for job in found if job is not None and not job.is_over]

    def do_jobs(self) -> None:
        """Do what was queued, each job once; what cannot be done is raised."""
        for job in self.queued():
            written = self.embed_jobs().run(job, self.jobs.payload(job) or {})
            self.jobs.finish(job, written, self.clock())

    def key(self, key: str, body: bytes = b"{}") -> IdempotencyRecord:
        return begin(self.tenant, "POST /v1/memory/semantic", key, body, self.clock())


def void(_: object) -> None:
    """Leave what came out."""
