"""Texts whose vectors come later: in memory, and in PostgreSQL by each connection mode."""

from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.late_vectors import Piece
from agent_memory.domain.semantic_store import Stored
from agent_memory.errors import StoreUnavailable
from agent_memory.service.drafting import MOST_AT_ONCE
from tests.contract.memories import CASHEWS, CRANE, PIANO, Memories

LONG = " ".join(f"Sentence number {number} tells of something else altogether, at length." for number in range(400))
NEARLY = PIANO.replace("goes", "really goes")


@pytest.fixture
def pending(memories: Memories) -> Stored:
    """A text that was stored while the model was away."""
    memories.embedder.away = True
    return memories.store(PIANO)


def test_a_text_is_stored_although_the_model_is_away(memories: Memories, pending: Stored) -> None:
    memories.clock.turn(minutes=1)
    read = memories.semantic.get(memories.tenant, pending.memory.id)

    assert (pending.status, pending.response()["embedding"]) == (202, "pending")
    assert (read.content, read.response()["embedding"]) == (PIANO, "pending")
    assert memories.walked() == [[PIANO]]
    assert memories.found("piano") == [PIANO], "by its words"
    assert memories.history(pending.memory.id) == [("current", PIANO)]


def test_what_is_ready_says_so(memories: Memories) -> None:
    stored = memories.store(PIANO)

    assert (stored.status, stored.response()["embedding"]) == (201, "ready")
    assert memories.queued() == []


def test_a_search_goes_by_words_while_the_model_is_away_and_says_so(memories: Memories, pending: Stored) -> None:
    from agent_memory.domain.semantic import SearchRequest  # noqa: PLC0415 - of this test alone

    found = memories.semantic.search(memories.tenant, SearchRequest(query="piano"))
    assert (len(found.results), found.degraded) == (1, ("vectors",))

    for asked in ({"mode": "vector"}, {"threshold": 0.5}):
        with pytest.raises(StoreUnavailable):
            memories.search("piano", **asked)
    assert memories.semantic.search(memories.tenant, SearchRequest(query="piano", mode="lexical")).degraded == ()
    memories.embedder.away = False
    assert memories.semantic.search(memories.tenant, SearchRequest(query="piano")).degraded == ()


def test_its_vector_comes_with_the_job_that_was_put_before_it_was_stored(memories: Memories, pending: Stored) -> None:
    assert memories.found("piano", mode="lexical") == [PIANO]
    memories.embedder.away = False
    assert memories.found("piano", mode="vector") == []

    memories.do_jobs()

    assert memories.found("piano", mode="vector") == [PIANO]
    assert not memories.semantic.get(memories.tenant, pending.memory.id).pending
    assert memories.queued() == []


def test_a_job_is_of_its_agent_and_user_and_holds_ids_alone(memories: Memories) -> None:
    memories.embedder.away = True
    items = [{"agent_id": agent, "content": f"{PIANO} {agent}", "user_id": "ana"} for agent in ("a", "b", "a")]
    memories.store_all(items)

    jobs = memories.queued()
    assert sorted((job.agent_id, job.user_id, job.kind) for job in jobs) == [
        ("a", "ana", "embed"),
        ("b", "ana", "embed"),
    ]
    assert all(set(memories.jobs.payload(job) or {}) == {"memory_ids"} for job in jobs)


def test_each_item_of_a_batch_is_ready_or_pending_by_itself(memories: Memories) -> None:
    outcomes = memories.store_all([{"agent_id": "a", "content": text} for text in (PIANO, LONG, CASHEWS)])

    assert [each.status for each in outcomes if isinstance(each, Stored)] == [201, 202, 201]


def test_a_text_of_many_pieces_is_not_waited_for(memories: Memories) -> None:
    calls = memories.embedder.calls
    stored = memories.store(LONG)
    assert (stored.status, memories.embedder.calls) == (202, calls)
    pieces = memories.tally.vectors
    assert pieces > MOST_AT_ONCE, "counted although they have no vectors yet"

    memories.do_jobs()

    assert memories.embedder.calls == calls + pieces
    assert memories.tally.vectors == pieces, "once"
    assert memories.found("Sentence number 399 tells of something", mode="vector") == [LONG]
    memories.delete(stored.memory.id)
    assert memories.tally.vectors == 0


def test_a_long_text_is_gone_on_with_where_an_attempt_ended(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    memories.store(LONG)
    attempt, calls = memories.embedder.attempt, []

    def once(texts: Any) -> Any:
        calls.append(len(texts))
        vectors = attempt(texts)
        return [*vectors[:10], None, *vectors[11:]] if len(calls) == 2 else vectors

    monkeypatch.setattr(memories.embedder, "attempt", once)
    with pytest.raises(StoreUnavailable):
        memories.do_jobs()
    assert memories.found("sentence", mode="vector") == [LONG], "what it has is found"
    memories.do_jobs()

    assert sum(calls) < memories.tally.vectors + MOST_AT_ONCE + 12
    assert [each["embedding"] for each in memories.search("sentence", mode="lexical")] == ["ready"]


def test_a_job_may_be_done_again_and_by_two_at_once(memories: Memories, pending: Stored) -> None:
    memories.embedder.away = False
    (job,) = memories.queued()
    payload = memories.jobs.payload(job) or {}

    assert [memories.embed_jobs().run(job, payload) for _ in range(3)] == [{"memories": 1}] * 3

    assert memories.embedder.calls == 2, "one that failed, and one that counts"
    assert memories.tally.vectors == 1


def test_while_the_model_is_away_the_job_waits(memories: Memories, pending: Stored) -> None:
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            memories.do_jobs()
        memories.clock.turn(minutes=1)
    memories.embedder.away = False
    memories.do_jobs()

    assert memories.found("piano", mode="vector") == [PIANO]


def test_a_worker_tries_again_itself_while_there_is_time(
    memories: Memories, pending: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = memories.queued()
    patient = memories.embed_jobs()
    monkeypatch.setattr(patient, "_longest", timedelta(seconds=60))
    started = memories.clock()

    def sleep(seconds: float) -> None:
        memories.embedder.away = memories.clock.turn(seconds=seconds) < started + timedelta(seconds=20)

    monkeypatch.setattr(patient, "_sleep", sleep)

    assert patient.run(job, memories.jobs.payload(job) or {}) == {"memories": 1}
    assert memories.found("piano", mode="vector") == [PIANO]


def test_a_worker_that_is_early_waits_for_the_text_and_then_comes_back(memories: Memories) -> None:
    memories.embedder.away = True
    stores = memories.store_.store

    def refuse(*_: object) -> Any:
        raise StoreUnavailable("the database is away")

    memories.store_.store = refuse  # type: ignore[assignment,method-assign]
    with pytest.raises(StoreUnavailable):
        memories.store(PIANO)
    memories.store_.store = stores  # type: ignore[method-assign]
    memories.embedder.away = False

    with pytest.raises(StoreUnavailable, match="not stored yet"):
        memories.do_jobs()
    memories.clock.turn(minutes=1)
    memories.do_jobs()
    assert memories.queued() == [], "it was never stored, and nobody waits for it for ever"


def test_a_text_that_was_deleted_meanwhile_stays_deleted(memories: Memories, pending: Stored) -> None:
    memories.delete(pending.memory.id)
    memories.embedder.away = False
    memories.clock.turn(minutes=2)

    memories.do_jobs()

    assert memories.found("piano", mode="vector") == []
    assert memories.tally.vectors == 0


def test_a_text_that_changes_while_its_vector_is_made_gets_that_of_what_it_says_now(
    memories: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    memories.store(CASHEWS)
    memories.embedder.away = True
    stored = memories.store(PIANO, metadata={"k": 1})
    memories.embedder.away = False
    attempt = memories.embedder.attempt

    def change_first(texts: Any) -> Any:
        monkeypatch.setattr(memories.embedder, "attempt", attempt)
        assert memories.late
        memories.late.add(  # somebody else was quicker, and then the text was merged with another one
            memories.tenant,
            memories.late.read(memories.tenant, [stored.memory.id], ["words/128"], memories.clock())[0],
            1,
            [Piece("words/128", 0, spans_of(memories, stored), attempt([PIANO])[0] or ())],
            (),
        )
        memories.clock.turn(seconds=1)
        assert memories.store(NEARLY).memory.id == stored.memory.id
        return attempt(texts)

    monkeypatch.setattr(memories.embedder, "attempt", change_first)
    memories.do_jobs()

    (found,) = memories.search(NEARLY, mode="vector", top_k=1)
    assert found["content"] == NEARLY
    assert found["similarity_score"] == pytest.approx(1, abs=1e-3)


def spans_of(memories: Memories, stored: Stored) -> Any:
    from agent_memory.domain.chunking import Span  # noqa: PLC0415 - of this helper alone

    return Span(0, len(stored.memory.content))


def test_without_a_vector_only_equal_texts_merge(memories: Memories, pending: Stored) -> None:
    same = memories.store(PIANO)
    assert (same.deduplicated, same.status) == (True, 202)
    near = memories.store(NEARLY)
    assert not near.deduplicated
    memories.embedder.away = False

    memories.clock.turn(minutes=2)
    memories.do_jobs()

    assert sorted(memories.found("piano", mode="vector")) == sorted([PIANO, NEARLY]), (
        "twins that were found late stay two"
    )
    assert memories.tally.vectors == 2


def test_a_repetition_brings_the_vector_along(memories: Memories, pending: Stored) -> None:
    memories.embedder.away = False
    again = memories.store(PIANO)

    assert (again.memory.id, again.deduplicated, again.status) == (pending.memory.id, True, 201)
    assert memories.found("piano", mode="vector") == [PIANO]


def test_a_near_text_is_merged_into_by_one_with_a_vector_only(memories: Memories, pending: Stored) -> None:
    memories.embedder.away = False

    assert not memories.store(NEARLY).deduplicated
    assert len(memories.found("piano", mode="vector")) == 1


def test_the_answer_to_a_repeated_request_is_the_first_one(memories: Memories) -> None:
    from agent_memory.domain.idempotency import AlreadyAnswered  # noqa: PLC0415 - of this test alone

    memories.embedder.away = True
    memories.store(PIANO, record=memories.key("k"))
    memories.embedder.away = False
    memories.do_jobs()

    with pytest.raises(AlreadyAnswered) as replayed:
        memories.store(PIANO, record=memories.key("k"))
    answer = replayed.value.stored.answer
    assert answer is not None
    assert answer.status == 202


def test_what_one_job_missed_another_one_finds(memories: Memories, pending: Stored) -> None:
    for job in memories.queued():
        memories.jobs.finish(job, {}, memories.clock())  # lost, whatever the reason
    memories.store(CRANE)
    memories.delete(memories.store(CASHEWS).memory.id)  # its job will find nothing, and look through what there is
    memories.embedder.away = False
    memories.clock.turn(minutes=2)

    memories.do_jobs()

    assert len(memories.found("piano crane", mode="vector")) == 2
