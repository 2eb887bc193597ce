"""What is left of a session that has ended, over stores in memory and over DynamoDB and PostgreSQL."""

from contextlib import suppress
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, Attempt
from agent_memory.domain.state import NewState, StateKey
from agent_memory.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge
from tests.contract.interrupted import Killed, Points, die
from tests.contract.session_ends import BERLIN, LIFE, PARIS, Scene, on_stores_of
from tests.fakes.clock import Clock


@pytest.fixture(params=["memory", "aws"])
def scene(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Scene:
    return on_stores_of(request, tenant, clock)


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


def test_null_in_a_fact_is_nothing_said_but_for_its_value(scene: Scene) -> None:
    nothing = dict.fromkeys(("trust", "purposes", "valid_from", "valid_to", "metadata"))
    facts = [BERLIN | nothing, {"subject": "Ana", "predicate": "employer", "value": None}]

    scene.work(scene.end(facts=facts, purposes=["care"], trust="tool_external", timestamp="2025-01-01T00:00:00Z"))

    assert scene.known.find() == [], "the purposes of the session are the facts' own"
    told = scene.known.find(purpose="care")
    assert {each["predicate"]: each["value"] for each in told} == {"lives in": "Berlin", "employer": None}
    assert {(each["trust"], each["valid_from"]) for each in told} == {("tool_external", "2025-01-01T00:00:00.000000Z")}


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
        ({"summary": None, "transcript": "t", "metadata": {"m": "x" * 40_000}}, "metadata"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"facts": [BERLIN | {"valid_to": "2020-01-01T00:00:00Z"}]}, "facts.0.valid_to"),
        ({"facts": [BERLIN | {"valid_from": None, "valid_to": "2020-01-01T00:00:00Z"}]}, "facts.0.valid_to"),
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
