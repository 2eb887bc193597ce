"""What is left of a session that has ended, over stores in memory and over DynamoDB and PostgreSQL."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.adapters.sql_facts import SqlFactStore
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.fact_store import FactStore
from agent_memory.domain.idempotency import AlreadyAnswered, Attempt, begin
from agent_memory.domain.jobs import Job
from agent_memory.domain.json_document import parse
from agent_memory.domain.semantic import MemoriesQuery
from agent_memory.domain.semantic_store import MemoryStore
from agent_memory.domain.sessions import SUMMARIES, Digest, SessionEnd
from agent_memory.domain.state import NewState, StateKey
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge, StoreUnavailable
from agent_memory.service.doing_jobs import Delivery, DoingJobs, Pace
from agent_memory.service.drafting import Drafting
from agent_memory.service.facts import Facts
from agent_memory.service.session_end import SessionEndWork
from agent_memory.service.sessions import Sessions
from agent_memory.service.subjects import Subjects
from tests.contract.conftest import Stores, in_memory, on_dynamodb
from tests.contract.facts import KnownFacts
from tests.contract.interrupted import Killed, Points, _Port, die
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
    """`Summarizer` that answers the same, or goes away."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_away = False

    def digest(self, transcript: str) -> Digest:
        if self.is_away:
            raise StoreUnavailable("the summarizer did not answer")
        self.heard.append(transcript)
        return Digest.model_validate(DIGEST)


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
        self.reader = Reader()
        self.embedder = WordEmbedder()
        self.subjects = Subjects(self.stores.subjects)
        self.known = KnownFacts(self.facts, lambda: self.facts, self.tenant, self.clock)
        self.texts = Memories(self.memories, lambda: self.memories, self.tenant, self.clock)

    def end(self, session: str = "s", key: str | None = None, **fields: Any) -> Job:
        told: dict[str, Any] = {"agent_id": "a", "user_id": "ana", "summary": "Ana moves to Berlin."} | fields
        new = SessionEnd.model_validate({name: value for name, value in told.items() if value is not None})
        attempt = Attempt(begin(self.tenant, "r", key, repr(told).encode(), self.clock()) if key else None)
        return self.sessions().end(self.tenant, session, new, attempt)

    def sessions(self) -> Sessions:
        return Sessions(self.stores.jobs, self.subjects, self.max_transcript_tokens, self.clock)

    def work(self, *jobs: Job, points: Points | None = None) -> list[bool]:
        def port(store: Any) -> Any:
            return store if points is None else _Port(store, points)

        facts = Facts(port(self.facts), self.subjects, self.clock)
        jobs_, memories, states = (port(each) for each in (self.stores.jobs, self.memories, self.stores.state))
        drafting, reader = Drafting(self.embedder, CHUNK_TOKENS), port(self.reader)
        work = SessionEndWork(jobs_, memories, drafting, facts, states, reader, self.clock)
        pace = Pace(5, timedelta(seconds=25))
        doing = DoingJobs(jobs_, {"session_end": work}, pace, self.clock, self.sleep, self.crash)
        return doing.take(self.tenant, [Delivery(job.job_id) for job in jobs], self.clock() + LIFE)

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


Make = Callable[..., Scene]


@pytest.fixture(params=["memory", "aws"])
def scene(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Scene:
    if request.param == "memory":
        return Scene(in_memory(), InMemoryMemoryStore(Tally()), InMemoryFactStore(), tenant, clock)
    ways, aurora = request.getfixturevalue("ways"), request.getfixturevalue("migrated")
    stores, way = on_dynamodb(request.getfixturevalue("aws")), ways("data_api", aurora)
    return Scene(stores, SqlMemoryStore(way, Tally()), SqlFactStore(way, Tally()), tenant, clock)


def test_a_summary_is_a_memory_of_its_own_namespace(scene: Scene) -> None:
    job = scene.end(topics=["moving"], metadata={"channel": "web"}, timestamp="2026-11-19T18:00:00Z", purposes=["help"])

    assert scene.work(job) == [True]

    (summary,) = scene.summaries()
    assert (summary["content"], summary["namespace"]) == ("Ana moves to Berlin.", "summaries")
    assert (summary["agent_id"], summary["user_id"], summary["session_id"]) == ("a", "ana", "s")
    assert summary["metadata"] == {"channel": "web", "topics": ["moving"]}
    assert summary["timestamp"] == "2026-11-19T18:00:00.000000Z"
    assert summary["purposes"] == ["help"]
    assert scene.job(job).written["summary_id"] == summary["id"]  # type: ignore[index]


def test_facts_are_merged_and_hold_since_the_session_ended(scene: Scene) -> None:
    first = scene.end(facts=[PARIS], timestamp="2026-01-01T00:00:00Z")
    second = scene.end(
        facts=[BERLIN, BERLIN | {"predicate": "likes", "value": "tea"}], timestamp="2026-06-01T00:00:00Z"
    )

    assert scene.work(first, second) == [True, True]

    assert sorted(scene.known.values()) == ["Berlin", "tea"]
    assert [each["value"] for each in scene.known.find(as_of="2026-03-01T00:00:00Z")] == ["Paris"]
    told = scene.job(second).written or {}
    assert (len(told["fact_ids"]), told["superseded"]) == (2, 1)


def test_state_of_the_session_goes_once_it_has_expired(scene: Scene, clock: Clock) -> None:
    working = scene.stores.working(clock)
    for agent, session, ttl in (("a", "s", 1.0), ("a", "live", None), ("other", "s", 1.0)):
        new = NewState(agent_id=agent, session_id=session, data={"n": 1}, ttl_hours=ttl)
        working.create(scene.tenant, new, Attempt(), b"key")
    early, kept = scene.end("s"), scene.end("live")
    scene.work(early, kept)
    assert scene.stores.state.get(StateKey(scene.tenant, "a", "s"), clock()) is not None, "it lives"
    before = scene.stores.tally.dynamo_bytes
    clock.turn(hours=2)

    late = scene.end("s")
    scene.work(late)

    assert (scene.job(early).written or {})["state_removed"] is False
    assert (scene.job(late).written or {})["state_removed"] is True
    assert scene.stores.tally.dynamo_bytes < before
    assert scene.stores.state.get(StateKey(scene.tenant, "a", "live"), clock()) is not None
    assert not scene.stores.state.remove_expired(StateKey(scene.tenant, "a", "s"), clock()), "it is gone"
    assert scene.stores.state.remove_expired(StateKey(scene.tenant, "other", "s"), clock()), "another agent's stayed"


def test_with_one_key_a_session_ends_once_and_with_two_keys_twice_in_order(scene: Scene) -> None:
    first = scene.end(key="k", facts=[PARIS])
    with pytest.raises(AlreadyAnswered):
        scene.end(key="k", facts=[PARIS])
    second = scene.end(key="l", summary="Ana has moved.", facts=[BERLIN])

    assert scene.stores.jobs.line(scene.tenant, "a", "s", 9) == [first.job_id, second.job_id]
    assert scene.work(second, first) == [True, True]
    assert len(scene.summaries()) == 2
    assert scene.known.values() == ["Berlin"]


def test_jobs_of_one_batch_are_embedded_together(scene: Scene) -> None:
    jobs = [scene.end(f"s{n}", summary=f"Summary {n} of the session.") for n in range(5)]
    batches: list[int] = []
    attempt = scene.embedder.attempt

    def counted(texts: Any) -> Any:
        batches.append(len(texts))
        return attempt(texts)

    scene.embedder.attempt = counted  # type: ignore[method-assign]
    scene.work(*jobs)

    assert batches[0] == 5


def test_what_expires_before_it_is_written_is_not_written(scene: Scene, clock: Clock) -> None:
    job = scene.end(facts=[BERLIN], ttl_hours=1.0)
    clock.turn(hours=2)

    assert scene.work(job) == [True]

    assert scene.summaries() == []
    assert scene.known.values() == []
    assert (scene.job(job).written or {})["summary_id"] is None


def test_facts_that_contradict_a_cardinality_fail_the_job_and_say_so(scene: Scene) -> None:
    scene.work(scene.end(facts=[BERLIN]))
    job = scene.end(facts=[BERLIN | {"cardinality": "many"}])

    assert scene.work(job) == [False]

    error = scene.job(job).error or {}
    assert error["code"] == "CONFLICT"
    assert "Berlin" not in str(error)
    assert len(scene.summaries()) == 1, "nothing of it was written"


def test_without_a_summarizer_a_transcript_is_refused_and_says_why(scene: Scene) -> None:
    with pytest.raises(InvalidRequest) as refused:
        scene.end(summary=None, transcript="user: hello")

    assert "summarizer" in refused.value.message
    assert scene.stores.jobs.line(scene.tenant, "a", "s", 9) == []


def test_a_transcript_is_read_once_and_kept_nowhere(scene: Scene) -> None:
    scene.max_transcript_tokens = 1000
    job = scene.end(summary=None, transcript=[{"role": "user", "content": "my secret city is Berlin"}])
    scene.reader.is_away = True
    assert scene.work(job) == [False]
    scene.reader.is_away = False

    assert scene.work(job) == [True]

    assert scene.reader.heard == ["user: my secret city is Berlin"]
    (summary,) = scene.summaries()
    assert (summary["content"], summary["metadata"], summary["trust"]) == (
        "Ana asked for the ferry.",
        {"topics": ["ferry"]},
        "inference",
    )
    assert scene.known.find()[0]["trust"] == "inference"
    assert not any("secret" in each for each in scene.texts.found("secret city"))
    assert scene.stores.jobs.payload(scene.job(job)) is None


def test_a_transcript_that_is_too_long_is_refused(scene: Scene) -> None:
    scene.max_transcript_tokens = 10

    with pytest.raises(PayloadTooLarge):
        scene.end(summary=None, transcript="word " * 100)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"summary": None}, "summary"),
        ({"transcript": "both"}, "summary"),
        ({"user_id": None, "facts": [BERLIN]}, "user_id"),
        ({"summary": None, "transcript": "t", "facts": [BERLIN]}, "facts"),
        ({"summary": None, "transcript": "t", "topics": ["x"]}, "topics"),
        ({"metadata": {"m": "x" * 40_000}}, "metadata"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"facts": [BERLIN | {"valid_to": "2020-01-01T00:00:00Z"}]}, "facts.0.valid_to"),
        ({"facts": [BERLIN, BERLIN | {"cardinality": "many"}]}, "facts.1.cardinality"),
    ],
)
def test_what_could_not_be_done_is_refused_at_once(scene: Scene, fields: dict[str, Any], field: str) -> None:
    scene.max_transcript_tokens = 100

    with pytest.raises(InvalidRequest) as refused:
        scene.end(**fields)

    assert refused.value.message.startswith(field)


def test_a_session_of_another_user_does_not_end(scene: Scene) -> None:
    scene.end()

    with pytest.raises(Conflict):
        scene.end(user_id="bo")


def test_a_job_of_another_tenant_is_not_there(scene: Scene) -> None:
    job = scene.end()

    with pytest.raises(NotFound):
        scene.sessions().job(scene.tenant + "-2", job.job_id)


def test_a_worker_that_dies_at_any_call_of_any_store_loses_and_doubles_nothing(scene: Scene, clock: Clock) -> None:
    scene.max_transcript_tokens = 1000
    for chosen in range(1, 200):
        session, city = f"s{chosen}", BERLIN | {"value": f"city {chosen}", "predicate": f"p{chosen}"}
        first = scene.end(session, summary=None, transcript="user: hello")
        second = scene.end(session, summary=f"Summary {chosen}.", facts=[city])
        points = Points(chosen, die)
        with suppress(Killed):
            scene.work(second, points=points)
        clock.turn(seconds=LIFE.seconds + 11)

        assert scene.work(first, second) == [True, True], f"after the end at point {chosen}"

        told = [scene.job(job) for job in (first, second)]
        assert [job.status for job in told] == ["done", "done"]
        own = [each for each in scene.summaries() if each["session_id"] == session]
        assert {each["id"] for each in own} == {(job.written or {})["summary_id"] for job in told}
        assert len(own) == 2, f"after the end at point {chosen}"
        held = scene.known.find(predicate=f"p{chosen}")
        assert [each["id"] for each in held] == (told[1].written or {})["fact_ids"]
        if points.is_over:
            break
    assert chosen > 30
