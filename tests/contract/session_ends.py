"""Sessions that end, over stores in memory or over DynamoDB and PostgreSQL, and a worker for what they leave."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.digests import Digest
from agent_memory.domain.fact_store import FactStore
from agent_memory.domain.idempotency import Attempt, begin
from agent_memory.domain.jobs import Job
from agent_memory.domain.json_document import parse
from agent_memory.domain.semantic import MemoriesQuery
from agent_memory.domain.semantic_store import MemoryStore
from agent_memory.domain.sessions import SUMMARIES, SessionEnd
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service.doing_jobs import Delivery, DoingJobs, Pace
from agent_memory.service.drafting import Drafting
from agent_memory.service.facts import Facts
from agent_memory.service.session_end import SessionEndWork
from agent_memory.service.sessions import Sessions
from agent_memory.service.subjects import Subjects
from tests.contract.conftest import Stores, in_memory, on_dynamodb
from tests.contract.facts import KnownFacts
from tests.contract.interrupted import Points, _Port
from tests.contract.memories import CHUNK_TOKENS, Memories
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.memories import InMemoryMemoryStore

LIFE = timedelta(seconds=60)
BERLIN = {"subject": "Ana", "predicate": "lives in", "value": "Berlin", "cardinality": "one"}
PARIS = BERLIN | {"value": "Paris"}
DIGEST = {"summary": "Ana asked for the ferry.", "topics": ["ferry"], "facts": [BERLIN]}


class Reader:
    """`Summarizer` that answers the same, or goes away; `takes_s` is how long it thinks, by the scene's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.heard: list[str] = []
        self.is_away = False
        self.answer: dict[str, Any] = DIGEST
        self.takes_s = 0.0

    def digest(self, transcript: str) -> Digest:
        if self.is_away:
            raise StoreUnavailable("the summarizer did not answer")
        self.heard.append(transcript)
        self._clock.turn(seconds=self.takes_s)
        return Digest.model_validate(self.answer)


@dataclass
class Scene:
    """A tenant's sessions, and a worker."""

    stores: Stores
    memories: MemoryStore
    facts: FactStore
    tenant: str
    clock: Clock
    max_transcript_tokens: int | None = None

    def __post_init__(self) -> None:
        self.reader = Reader(self.clock)
        self.embedder = WordEmbedder()
        self.subjects = Subjects(self.stores.subjects)
        self.known = KnownFacts(self.facts, lambda: self.facts, self.tenant, self.clock)
        self.texts = Memories(self.memories, lambda: self.memories, self.tenant, self.clock)

    def end(self, session: str = "s", key: str | None = None, **fields: Any) -> Job:
        told: dict[str, Any] = {"agent_id": "a", "user_id": "ana", "summary": "Ana moves to Berlin."} | fields
        new = SessionEnd.model_validate({name: value for name, value in told.items() if value is not None})
        attempt = Attempt(begin(self.tenant, "r", key, repr(told).encode(), self.clock()) if key else None)
        return self.sessions().end(self.tenant, session, new, attempt)

    def read(self, facts: list[Any], **fields: Any) -> Job:
        """End a session by its transcript, of which the model makes these facts, and work."""
        self.max_transcript_tokens = 1000
        self.reader.answer = DIGEST | {"facts": facts}
        job = self.end(summary=None, transcript="user: hello", **fields)
        self.work(job)
        return self.job(job)

    def sessions(self) -> Sessions:
        return Sessions(self.stores.jobs, self.subjects, self.max_transcript_tokens, self.clock)

    def work(self, *jobs: Job, points: Points | None = None, is_last: bool = False) -> list[bool]:
        def port(store: Any) -> Any:
            return store if points is None else _Port(store, points)

        facts = Facts(port(self.facts), self.subjects, self.clock)
        jobs_, memories, states = (port(each) for each in (self.stores.jobs, self.memories, self.stores.state))
        drafting, reader = Drafting(self.embedder, CHUNK_TOKENS), port(self.reader)
        work = SessionEndWork(jobs_, memories, drafting, facts, states, reader, self.clock)
        pace = Pace(5, timedelta(seconds=25))
        doing = DoingJobs(jobs_, {"session_end": work}, pace, self.clock, self.sleep, self.crash)
        return doing.take(self.tenant, [Delivery(job.job_id, is_last) for job in jobs], self.clock() + LIFE)

    def sleep(self, seconds: float) -> None:
        self.clock.turn(seconds=seconds)

    def crash(self, error: Exception) -> None:
        raise error

    def job(self, job: Job) -> Job:
        return self.sessions().job(self.tenant, job.job_id)

    def summaries(self) -> list[Any]:
        query = MemoriesQuery(namespace=SUMMARIES, limit=500)
        page, _ = self.texts.semantic.walk(self.tenant, query, b"key")
        return [parse(each) for each in page.items]


def on_stores_of(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Scene:
    """Over the stores that the parameter names, "memory" or "aws"."""
    if request.param == "memory":
        return Scene(in_memory(), InMemoryMemoryStore(Tally()), InMemoryFactStore(), tenant, clock)
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")
    stores, way = on_dynamodb(request.getfixturevalue("aws")), ways("data_api", aurora)
    return Scene(stores, SqlMemoryStore(way, Tally()), SqlFactStore(way, Tally()), tenant, clock)
