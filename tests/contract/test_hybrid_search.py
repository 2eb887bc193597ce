"""Searching by meaning and by words at once: what is found, and in which order."""

import time
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agent_memory.domain.semantic import SearchRequest
from tests.contract.memories import CASHEWS, CRANE, PIANO, Memories

TURNS = [
    "Ana: did you ever find out who moved the piano?",
    "Ben: yes, it was my brother.",
    "Ana: oh, of course.",
    "Ben: he has a strong back.",
    "Ana: right.",
]


def talk(memories: Memories, **fields: Any) -> None:
    """One session, a turn a minute."""
    for minute, turn in enumerate(TURNS):
        at = f"2026-11-20T10:{minute:02}:00Z"
        memories.store(turn, session_id="s", timestamp=at, dedupe=False, **fields)


def test_a_rare_word_finds_what_no_vector_is_near_to(memories: Memories) -> None:
    memories.store("order 4711 left the harbour with all that was packed for the journey of the whole family")
    memories.store("the harbour and the journey of the family")

    assert memories.found("harbour journey family 4711", mode="lexical")[0].startswith("order 4711")
    assert memories.found("what about 4711?", top_k=1)[0].startswith("order 4711")


@pytest.mark.parametrize("query", ["cashew", "ALLERGIC", "Cashew\u2019s"])
def test_words_are_found_in_their_other_forms(memories: Memories, query: str) -> None:
    memories.store(CASHEWS)
    memories.store(PIANO)

    assert memories.found(query, mode="lexical") == [CASHEWS]


def test_texts_without_spaces_are_found_by_a_word_of_theirs(memories: Memories) -> None:
    memories.store("我喜欢喝绿茶")
    memories.store("他住在柏林")

    assert memories.found("绿茶", mode="lexical") == ["我喜欢喝绿茶"]
    assert memories.found("茶", mode="lexical") == ["我喜欢喝绿茶"]


def test_words_alone_need_no_vector_and_vectors_no_words(memories: Memories) -> None:
    memories.store(PIANO)
    calls = memories.embedder.calls

    (found,) = memories.search("piano", mode="lexical")

    assert memories.embedder.calls == calls
    assert (found["similarity_score"], found["passage"]) == (None, None)
    assert found["score"] > 0
    assert memories.found("violin", mode="lexical") == []
    (found,) = memories.search("piano", mode="vector")
    assert found["score"] == found["similarity_score"]


def test_an_answer_follows_the_question_that_was_found(memories: Memories) -> None:
    talk(memories)
    for number in range(12):
        memories.store(f"Ben: brother {number} is somebody else's", dedupe=False)

    found = memories.found("who moved the piano", top_k=3)

    assert found[:2] == TURNS[:2]
    assert memories.found("who moved the piano", top_k=3, mode="vector") != found


def test_neighbours_are_of_the_same_agent_session_and_namespace_and_as_asked(memories: Memories) -> None:
    talk(memories)
    beside: dict[str, Any] = {"timestamp": "2026-11-20T10:00:30Z", "dedupe": False}
    memories.store("nothing of it", session_id="t", **beside)
    memories.store("nothing of it either", session_id="s", agent_id="b", **beside)
    memories.store("nor of this", session_id="s", namespace="summaries", **beside)
    memories.store("nor, for you, of that", session_id="s", purposes=["care"], **beside)

    parts = {each["content"]: each["parts"] for each in memories.search("piano", top_k=20, explain=True)}

    assert parts[TURNS[1]]["lent"] > 0
    assert parts[TURNS[3]]["lent"] < parts[TURNS[1]]["lent"]
    assert parts["nothing of it"]["lent"] == 0
    assert parts["nothing of it either"]["lent"] == 0
    assert parts["nor of this"]["lent"] == 0
    assert "nor, for you, of that" not in parts


def test_explain_shows_what_a_score_is_made_of(memories: Memories) -> None:
    talk(memories, trust="inference", pinned=True)

    found = memories.search("piano", explain=True)

    assert "parts" not in memories.search("piano")[0]
    for each in found:
        parts = each["parts"]
        base = 0.5 * max(parts["cosine"], 0) + 0.5 * parts["lexical"]
        assert parts["base"] == pytest.approx(base)
        made = (parts["base"] + parts["lent"]) * parts["recency"] * parts["trust"] + parts["pinned"]
        assert each["score"] == pytest.approx(made, abs=1e-6)
        assert (parts["recency"], parts["trust"], parts["pinned"]) == (1, 0.95, 0.1)
        assert each["similarity_score"] == pytest.approx(parts["cosine"], abs=1e-6)


def test_what_is_old_stands_behind_what_is_new(memories: Memories) -> None:
    old, new = "Ana prefers the window seat", "Ana prefers the aisle seat"
    now = memories.clock()
    memories.store(old, timestamp=(now - timedelta(days=3 * 365)).isoformat(), dedupe=False)
    memories.store(new, timestamp=(now - timedelta(days=3)).isoformat(), dedupe=False)

    assert memories.found("window or which seat does Ana prefer", mode="vector") == [old, new]
    assert memories.found("which seat does Ana prefer") == [new, old]
    asked = {"explain": True, "top_k": 2}
    recency = [each["parts"]["recency"] for each in memories.search("seat", half_life_days=None, **asked)]
    assert recency == [1, 1]
    recency = sorted(each["parts"]["recency"] for each in memories.search("seat", half_life_days=3, **asked))
    assert recency == pytest.approx([0.7, 0.85])


@pytest.mark.parametrize("half_life_days", [0.001, 365])
def test_however_old_something_is_it_is_found(memories: Memories, half_life_days: float) -> None:
    memories.store(PIANO)

    (found,) = memories.search(
        PIANO, half_life_days=half_life_days, as_of="9999-12-31T23:59:59Z", explain=True, top_k=1
    )

    assert found["parts"]["recency"] == pytest.approx(0.7)


def test_what_is_pinned_does_not_grow_old_and_stands_higher(memories: Memories) -> None:
    at = (memories.clock() - timedelta(days=3 * 365)).isoformat()
    memories.store("the gate code is 17", timestamp=at, pinned=True, dedupe=False)
    memories.store("the gate code is 18", dedupe=False)

    first, second = memories.search("gate code")

    assert (first["content"], first["pinned"]) == ("the gate code is 17", True)
    assert (second["content"], second["pinned"]) == ("the gate code is 18", False)


def test_a_repetition_keeps_the_pin_unless_it_says_otherwise(memories: Memories) -> None:
    first = memories.store(PIANO, pinned=True)

    assert first.memory.pinned
    assert memories.store(PIANO).memory.pinned
    assert not memories.store(PIANO, pinned=False).memory.pinned
    assert not memories.semantic.get(memories.tenant, first.memory.id).pinned


def test_the_words_of_a_less_trusted_source_stand_behind_and_can_be_left_out(memories: Memories) -> None:
    for trust in ("tool_external", "inference", "direct_user"):
        memories.store("the gate is green", trust=trust, user_id=trust)

    found = memories.search("green gate")

    assert [each["trust"] for each in found] == ["direct_user", "inference", "tool_external"]
    for mode in ("hybrid", "vector", "lexical"):
        trusted = memories.search("green gate", min_trust="inference", mode=mode)
        assert {each["trust"] for each in trusted} == {"direct_user", "inference"}


@pytest.mark.parametrize("mode", ["hybrid", "vector", "lexical"])
def test_what_has_purposes_is_found_for_one_of_these_alone(memories: Memories, mode: str) -> None:
    everybody = memories.store(PIANO).memory
    care = memories.store(f"{PIANO} And the lift is broken.", purposes=["care", "billing"], session_id="s").memory

    assert memories.found("piano", mode=mode) == [everybody.content]
    assert memories.found("piano", mode=mode, purpose="marketing") == [everybody.content]
    assert set(memories.found("piano", mode=mode, purpose="billing")) == {everybody.content, care.content}
    # Their owner sees all.
    assert memories.semantic.get(memories.tenant, care.id).purposes == ("care", "billing")
    assert sorted(memories.walked()[0]) == sorted([everybody.content, care.content])


@pytest.mark.parametrize("again", [CASHEWS, CASHEWS.replace("is", "really is")])
def test_texts_of_different_purposes_never_merge(memories: Memories, again: str) -> None:
    memories.store(CASHEWS)
    memories.store(again, purposes=["care"])
    assert not memories.store(again, purposes=["billing"]).deduplicated
    assert not memories.store(again, purposes=["care", "billing"]).deduplicated

    assert memories.store(again, purposes=["billing", "care"]).deduplicated
    assert memories.found("cashews") == [CASHEWS]


def test_what_was_known_at_a_time_is_found_as_of_it(memories: Memories) -> None:
    memories.store("Ana moved to Bonn", timestamp="2024-03-01T00:00:00Z", dedupe=False)
    memories.store("Ana moved to Berlin", timestamp="2026-03-01T00:00:00Z", dedupe=False)
    memories.store("Ana moved to Rome", timestamp="2023-03-01T00:00:00Z", expires_at="2027-01-01T00:00:00Z")

    for mode in ("hybrid", "vector", "lexical"):
        then = memories.found("where did Ana move", as_of="2025-01-01T00:00:00Z", mode=mode)
        assert set(then) == {"Ana moved to Bonn", "Ana moved to Rome"}
    asked = {"as_of": "2025-03-01T00:00:00Z", "explain": True}
    (bonn, _) = memories.search("where did Ana move", **asked)
    assert bonn["parts"]["recency"] == pytest.approx(0.85)  # a year old, then
    memories.clock.turn(days=2 * 365)
    assert memories.found("where did Ana move", as_of="2025-01-01T00:00:00Z") == ["Ana moved to Bonn"]


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "vector"])
def test_filters_hold_for_what_is_found_by_its_words(memories: Memories, mode: str) -> None:
    memories.store(PIANO, user_id="noor", session_id="s", namespace="house", metadata={"k": 1})
    memories.store("the piano of somebody else", timestamp="2020-01-01T00:00:00Z")

    for narrowing in (
        {"user_id": "noor"},
        {"session_id": "s"},
        {"namespace": "house"},
        {"metadata_filter": {"k": 1}},
        {"from": "2021-01-01T00:00:00Z"},
    ):
        assert memories.found("piano", mode=mode, **narrowing) == [PIANO]
    assert memories.found("piano", mode=mode, to="2020-06-01T00:00:00Z") == ["the piano of somebody else"]
    assert memories.found("piano", mode=mode, agent_id="b") == []


def test_a_threshold_is_a_cosine_whatever_the_words(memories: Memories) -> None:
    memories.store(PIANO)
    memories.store(CRANE)
    (best, *_) = memories.search("Noor's piano weighs 240 kilos")

    found = memories.search("Noor's piano weighs 240 kilos", threshold=best["similarity_score"])

    assert [each["content"] for each in found] == [PIANO]
    assert memories.search("piano", threshold=1) == []


def test_what_was_replaced_is_not_found_by_its_old_words(memories: Memories) -> None:
    memories.store("Pim really likes the red boat")
    memories.store("Pim likes the red boat")
    stored = memories.store("Pim is fond of boats", dedupe=False)
    memories.delete(stored.memory.id)

    assert memories.found("really red boat", mode="lexical") == ["Pim likes the red boat"]
    assert memories.found("fond", mode="lexical") == []


def test_a_long_text_is_found_by_the_words_of_each_of_its_parts(memories: Memories) -> None:
    long = " ".join(f"Room {number} has a window towards street {number * 7}." for number in range(80))
    memories.store(long)
    memories.store(PIANO)

    assert memories.found("street 539", mode="lexical", top_k=1) == [long]
    assert memories.found("street 539", top_k=1) == [long]


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "lexical", "threshold": 0.5},
        {"mode": "vector", "half_life_days": 30},
        {"mode": "lexical", "half_life_days": None},
        {"half_life_days": 0},
        {"half_life_days": 0.0009},
        {"half_life_days": float("nan")},
        {"mode": "words"},
        {"min_trust": "friend"},
        {"purpose": ""},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchRequest.model_validate({"query": "q"} | fields)


def _newest_first(memories: Memories, count: int) -> list[str]:
    """Ids of equal memories, each stored a few milliseconds after the one before."""
    ids: list[str] = []
    for _ in range(count):
        ids.insert(0, memories.store(PIANO, dedupe=False).memory.id)
        memories.clock.turn(milliseconds=3)
        time.sleep(0.002)  # an id holds the machine's milliseconds
    return ids


def test_of_equal_memories_those_stored_last_come_first(memories: Memories) -> None:
    """More of them than a shortlist has room for."""
    ids = _newest_first(memories, 16)

    for mode in ("hybrid", "lexical", "vector"):
        assert [each["id"] for each in memories.search("piano", mode=mode, top_k=3)] == ids[:3]


def test_near_ties_keep_their_places_as_they_age(memories: Memories) -> None:
    """Of two texts that are a moment apart the older one must not come first whenever both scores round alike."""
    ids = _newest_first(memories, 3)

    for _ in range(40):
        memories.clock.turn(seconds=0.7)
        assert [each["id"] for each in memories.search("piano", half_life_days=30)] == ids


@pytest.mark.parametrize("mode", ["hybrid", "vector", "lexical"])
def test_a_narrow_search_of_one_agent_finds_nothing_of_another(memories: Memories, mode: str) -> None:
    memories.store(PIANO, session_id="s", user_id="noor")
    memories.store(PIANO, session_id="s", user_id="noor", agent_id="b")

    for narrowing in ({}, {"session_id": "s"}, {"user_id": "noor"}, {"from": "2020-01-01T00:00:00Z"}):
        assert [each["agent_id"] for each in memories.search("piano", agent_id="b", mode=mode, **narrowing)] == ["b"]
