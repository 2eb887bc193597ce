"""What a model makes of a transcript: how far it is taken at its word, and what is left out of it."""

import pytest

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.state import NewState
from tests.contract.session_ends import BERLIN, PARIS, Scene, on_stores_of
from tests.fakes.clock import Clock

EMPLOYER = {"subject": "user", "predicate": "employer", "value": "Initech"}


@pytest.fixture(params=["memory", "aws"])
def scene(request: pytest.FixtureRequest, tenant: str, clock: Clock) -> Scene:
    return on_stores_of(request, tenant, clock)


def test_a_transcript_raises_no_trust_and_drops_no_purpose(scene: Scene) -> None:
    told = {"trust": "direct_user", "purposes": [], "metadata": {"note": "x"}, "source": {"kind": "k", "id": "i"}}

    job = scene.read([EMPLOYER | told], purposes=["care"])

    assert job.status == "done"
    assert scene.known.find() == []
    (fact,) = scene.known.find(purpose="care")
    assert (fact["trust"], fact["purposes"], fact["metadata"]) == ("inference", ["care"], {})


@pytest.mark.parametrize(("given", "kept"), [("direct_user", "inference"), ("tool_external", "tool_external")])
def test_a_conclusion_is_worth_no_more_than_an_inference_and_no_more_than_what_it_was_drawn_from(
    scene: Scene, given: str, kept: str
) -> None:
    scene.read([EMPLOYER], trust=given)

    assert [each["trust"] for each in [*scene.known.find(), *scene.summaries()]] == [kept, kept]


def test_null_in_a_digest_is_nothing_said(scene: Scene) -> None:
    nothing = dict.fromkeys(("trust", "purposes", "valid_from", "valid_to", "cardinality", "metadata"))

    scene.read([EMPLOYER | nothing], purposes=["care"], timestamp="2025-01-01T00:00:00Z")

    (fact,) = scene.known.find(purpose="care")
    assert (fact["trust"], fact["valid_from"]) == ("inference", "2025-01-01T00:00:00.000000Z")


def test_a_predicate_keeps_its_cardinality_whatever_a_model_says(scene: Scene) -> None:
    scene.work(scene.end(facts=[EMPLOYER, BERLIN], trust="inference"))

    likes = [
        {"subject": "user", "predicate": "likes", "value": value, "cardinality": "many"} for value in ("tea", "go")
    ]
    job = scene.read([EMPLOYER | {"value": "Acme", "cardinality": "many"}, PARIS | {"cardinality": "many"}, *likes])

    assert (job.status, (job.written or {})["facts_left_out"]) == ("done", 0)
    assert sorted(scene.known.values()) == ["Acme", "Paris", "go", "tea"]
    assert len(scene.summaries()) == 2


def test_what_a_model_says_first_of_a_predicate_holds(scene: Scene) -> None:
    said = [EMPLOYER, EMPLOYER | {"value": "x", "cardinality": "many"}, EMPLOYER | {"value": "y", "cardinality": "one"}]

    job = scene.read(said)

    assert (job.status, (job.written or {})["facts_left_out"]) == ("done", 0)
    assert sorted(scene.known.values()) == ["Initech", "x", "y"]


def test_facts_that_would_end_before_they_begin_are_left_out_and_counted(scene: Scene) -> None:
    past = {"valid_to": "2020-01-01T00:00:00Z"}
    said = [EMPLOYER | past, EMPLOYER | past | {"valid_from": "2021-01-01T00:00:00Z"}, BERLIN]

    job = scene.read(said)

    assert (job.status, (job.written or {})["facts_left_out"]) == ("done", 2)
    assert scene.known.values() == ["Berlin"]
    assert len(scene.summaries()) == 1


def test_a_time_that_has_passed_is_told_where_its_beginning_is_known(scene: Scene) -> None:
    job = scene.read([EMPLOYER | {"valid_from": "2019-01-01T00:00:00Z", "valid_to": "2020-01-01T00:00:00Z"}])

    assert (job.written or {})["facts_left_out"] == 0
    assert [each["value"] for each in scene.known.find(as_of="2019-06-01T00:00:00Z")] == ["Initech"]
    assert scene.known.values() == []


def test_a_digest_whose_facts_are_refused_leaves_its_summary(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_memory.domain.digests._possible", lambda facts, _: facts)

    job = scene.read([EMPLOYER | {"valid_to": "2020-01-01T00:00:00Z"}, BERLIN])

    told = job.written or {}
    assert (job.status, told["fact_ids"], told["facts_left_out"]) == ("done", [], 2)
    assert [each["id"] for each in scene.summaries()] == [told["summary_id"]]


def test_a_transcript_that_names_nobody_is_of_its_sessions_user(scene: Scene, clock: Clock) -> None:
    new = NewState(agent_id="a", session_id="s", user_id="ana", data={"n": 1})
    scene.stores.working(clock).create(scene.tenant, new, Attempt(), b"key")

    job = scene.read([EMPLOYER], user_id=None)

    assert (job.user_id, (job.written or {})["facts_left_out"]) == ("ana", 0)
    assert scene.known.values() == ["Initech"]
    assert [each["user_id"] for each in scene.summaries()] == ["ana"]


def test_facts_of_nobody_are_left_out_and_counted(scene: Scene) -> None:
    job = scene.read([EMPLOYER, BERLIN], user_id=None)

    told = job.written or {}
    assert (job.user_id, told["fact_ids"], told["facts_left_out"]) == (None, [], 2)
    assert len(scene.summaries()) == 1


@pytest.mark.parametrize("takes_s", [10, 24])
def test_a_job_that_no_worker_had_time_for_has_not_failed(scene: Scene, takes_s: float) -> None:
    scene.max_transcript_tokens = 1000
    scene.reader.takes_s = takes_s
    jobs = [scene.end(f"s{n}", summary=None, transcript="hello") for n in range(6)]

    taken = scene.work(*jobs, is_last=True)

    told = [scene.job(job) for job in jobs]
    assert [job.status for job in told] == ["done" if is_taken else "queued" for is_taken in taken]
    assert not all(taken), "there was no time for all"
    assert [job.attempts for job in told] == [int(is_taken) for is_taken in taken]
