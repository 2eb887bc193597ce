"""When two texts are one memory, in every store of semantic memory."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.memories import CASHEWS, PIANO, Memories


def test_an_equal_text_is_the_same_memory(memories: Memories) -> None:
    first = memories.store(PIANO)
    memories.clock.turn(hours=1)
    second = memories.store(PIANO)

    assert (first.deduplicated, second.deduplicated) == (False, True)
    assert second.memory.id == first.memory.id
    assert second.memory.created_at < second.memory.updated_at == memories.clock()
    assert memories.history(first.memory.id) == [("current", PIANO)]
    assert memories.walked() == [[PIANO]]


def test_racing_writers_of_one_sentence_make_one_memory(memories: Memories) -> None:
    start, stored = threading.Barrier(8), []

    def write() -> None:
        mine = memories.another()
        start.wait()
        stored.append(mine.store(CASHEWS))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(stored) == 8
    assert len({each.memory.id for each in stored}) == 1
    assert sorted(each.deduplicated for each in stored) == [False, *[True] * 7]
    assert memories.walked() == [[CASHEWS]]


@pytest.mark.parametrize(
    "other", [{"namespace": "n"}, {"user_id": "user-2"}, {"agent_id": "b"}, {"namespace": "n", "user_id": "user-2"}]
)
def test_only_texts_of_one_agent_user_and_namespace_merge(memories: Memories, other: dict[str, Any]) -> None:
    mine = memories.store("lives in Berlin with two cats", metadata={"of": "mine"})
    theirs = memories.store("lives in Berlin with two cats", metadata={"of": "theirs"}, **other)
    near = memories.store("lives in Berlin, with two cats", **other)

    assert (theirs.deduplicated, near.deduplicated) == (False, True)
    assert theirs.memory.id == near.memory.id != mine.memory.id
    assert memories.semantic.get(memories.tenant, mine.memory.id).metadata == {"of": "mine"}


def test_a_near_duplicate_replaces_the_text_and_the_earlier_one_stays_in_the_history(memories: Memories) -> None:
    first = memories.store("The user prefers dark mode", metadata={"n": 1})
    memories.clock.turn(days=1)
    second = memories.store("The user really prefers dark mode.", metadata={"n": 2})

    assert second.deduplicated
    assert (second.memory.id, second.memory.revision) == (first.memory.id, 2)
    assert memories.found("dark mode") == ["The user really prefers dark mode."]
    assert memories.found("dark mode", metadata_filter={"n": 1}) == []
    assert memories.history(first.memory.id) == [
        ("current", "The user really prefers dark mode."),
        ("earlier", "The user prefers dark mode"),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "Pim eats cashews, almonds, walnuts, pears and figs",
            "Pim eats not cashews, almonds, walnuts, pears and figs",
        ),
        ("The flat in Porto has its door on the 3rd floor", "The flat in Porto has its door on the 4th floor"),
    ],
)
def test_texts_that_contradict_each_other_are_both_kept_and_the_history_shows_both(
    memories: Memories, first: str, second: str
) -> None:
    # The words that differ are made common ones, so that only what they mean keeps the two apart.
    one, two = memories.store(first), memories.store(second)

    assert not two.deduplicated
    assert set(memories.found(first)) == {first, second}
    if two.apart_from is not None:
        assert two.apart_from == one.memory.id
        assert memories.history(two.memory.id) == [("current", second), ("apart", first)]
        assert memories.history(one.memory.id) == [("current", first), ("apart", second)]


def test_a_contradiction_of_near_texts_names_the_other(memories: Memories) -> None:
    one = memories.store("The meeting with the whole team takes place in the office at noon")
    two = memories.store("The meeting with the whole team takes place not in the office at noon")

    assert two.apart_from == one.memory.id
    assert memories.history(one.memory.id)[1] == ("apart", two.memory.content)

    memories.delete(one.memory.id)
    assert memories.history(two.memory.id) == [("current", two.memory.content)]


def test_a_less_trusted_source_never_speaks_over_a_more_trusted_one(memories: Memories) -> None:
    mine = memories.store("The user prefers dark mode", trust="direct_user")
    theirs = memories.store("The user really prefers dark mode", trust="tool_external")
    again = memories.store("The user prefers dark mode", trust="tool_external")

    assert (theirs.deduplicated, theirs.apart_from) == (False, mine.memory.id)
    assert again.deduplicated
    assert memories.semantic.get(memories.tenant, mine.memory.id).trust == "direct_user"


def test_who_asks_for_no_merging_gets_none(memories: Memories) -> None:
    ids = {memories.store(PIANO, dedupe=False).memory.id for _ in range(3)}

    assert len(ids) == 3
    assert memories.found("piano") == [PIANO] * 3


def test_of_two_expiries_the_later_one_holds(memories: Memories) -> None:
    at = memories.clock()
    assert memories.store(PIANO, ttl_hours=2).memory.expires_at == at + timedelta(hours=2)
    assert memories.store(PIANO, ttl_hours=1).memory.expires_at == at + timedelta(hours=2)
    assert memories.store(PIANO, ttl_hours=3).memory.expires_at == at + timedelta(hours=3)
    assert memories.store(PIANO).memory.expires_at is None
    assert memories.store(PIANO, ttl_hours=1).memory.expires_at is None


def test_a_merge_without_metadata_keeps_what_was_there(memories: Memories) -> None:
    memories.store(PIANO, metadata={"k": 1})

    assert memories.store(PIANO).memory.metadata == {"k": 1}
    assert memories.found("piano", metadata_filter={"k": 1}) == [PIANO]


def test_vectors_of_different_models_are_never_compared(memories: Memories) -> None:
    memories.store(PIANO)
    memories.embedder.name = "another model"

    assert memories.found("piano", mode="vector") == []
    assert [each["similarity_score"] for each in memories.search("piano")] == [None]  # found by the word
    assert not memories.store(PIANO.replace("goes", "really goes")).deduplicated
    assert memories.store(PIANO).deduplicated, "equal words need no vector to be the same"
    assert len(memories.found("piano", mode="vector")) == 2, "and get those that they lacked"


def test_a_text_that_is_said_again_is_found_at_the_time_and_in_the_session_that_it_was_said_in_last(
    memories: Memories,
) -> None:
    memories.store(PIANO, timestamp="2026-01-01T00:00:00Z", session_id="s1")
    memories.store(PIANO, timestamp="2026-02-01T00:00:00Z", session_id="s2")

    assert memories.found(PIANO, mode="vector", **{"from": "2026-01-31T00:00:00Z"}, session_id="s2") == [PIANO]
    assert memories.found(PIANO, mode="vector", to="2026-01-31T00:00:00Z") == []
    assert memories.found(PIANO, mode="vector", session_id="s1") == []


def test_a_long_text_that_is_said_again_is_found_at_the_time_it_was_said_last(memories: Memories) -> None:
    long = " ".join(f"In the year {year} the harbour of Delft was dredged by {year % 7} ships." for year in range(60))
    memories.store(long, timestamp="2026-01-01T00:00:00Z")
    memories.store(long, timestamp="2026-02-01T00:00:00Z")

    assert memories.found("harbour of Delft", mode="vector", **{"from": "2026-01-31T00:00:00Z"}) == [long]
    assert memories.found("harbour of Delft", mode="vector", to="2026-01-31T00:00:00Z") == []
