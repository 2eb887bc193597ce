"""Long texts, pages, batches and repeated requests, in every store of semantic memory."""

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, first_answer
from agent_memory.domain.json_document import dumps
from agent_memory.domain.semantic import MemoriesQuery
from agent_memory.errors import Conflict, InvalidRequest, NotFound
from tests.contract.memories import CASHEWS, PIANO, Memories


def test_a_walk_meets_every_memory_once_and_the_newest_first(memories: Memories) -> None:
    texts = []
    for place in range(7):
        if place % 3:
            memories.clock.turn(seconds=1)
        texts.append(f"note number {place}")
        memories.store(texts[-1], user_id="ana" if place % 2 else None, namespace="n" if place > 4 else "default")

    pages = memories.walked(limit=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(text for page in pages for text in page) == texts
    assert pages[0][0] in texts[5:]
    assert sorted(memories.walked(user_id="ana")[0]) == texts[1::2]
    assert sorted(memories.walked(namespace="n", agent_id="a")[0]) == texts[5:]
    assert memories.walked(agent_id="nobody") == [[]]


def test_a_cursor_goes_on_with_no_other_walk(memories: Memories) -> None:
    for place in range(3):
        memories.store(f"note number {place}")
    _, cursor = memories.semantic.walk(memories.tenant, MemoriesQuery(limit=1), b"key")

    for query, key in ((MemoriesQuery(agent_id="b", cursor=cursor), b"key"), (MemoriesQuery(cursor=cursor), b"other")):
        with pytest.raises(InvalidRequest):
            memories.semantic.walk(memories.tenant, query, key)


def test_a_long_text_is_one_memory_found_by_any_part_of_it(memories: Memories) -> None:
    parts = [f"Chapter {place} tells of {word}. " + "It goes on and on. " * 9 for place, word in enumerate(WORDS)]
    text = "".join(parts)
    stored = memories.store(text)
    memories.store("Something else entirely, of no interest.")

    for word in (WORDS[0], WORDS[len(WORDS) // 2], WORDS[-1]):
        best = memories.search(f"Chapter tells of {word}", top_k=2)
        assert [each["id"] for each in best].count(stored.memory.id) == 1
        assert best[0]["content"] == text
        start, end = best[0]["passage"]["start"], best[0]["passage"]["end"]
        assert word in text[start:end]
        assert end - start < len(text) / 3
    assert memories.store(text).deduplicated
    assert not memories.store(text + "The end.").deduplicated


WORDS = ["anchors", "beekeeping", "cinnamon", "dulcimers", "eclipses", "falconry", "glaciers", "harmonicas"]


def test_one_text_of_a_mebibyte_comes_back_byte_for_byte(memories: Memories) -> None:
    unit = "日本語の文。 جملة بالعربية؟ An English sentence. if (x) {\n\treturn `y`;\r\n}\n"
    text = (unit * (1_048_576 // len(unit.encode())))[:-1]
    stored = memories.store(text)

    assert memories.semantic.get(memories.tenant, stored.memory.id).content == text
    assert memories.search("An English sentence", top_k=1)[0]["content"] == text
    assert memories.walked() == [[text]]
    assert memories.history(stored.memory.id) == [("current", text)]


def test_answers_larger_than_the_connection_carries_are_whole(memories: Memories) -> None:
    texts = [f"{place} " + "words of no weight " * 5000 for place in range(12)]
    for text in texts:
        memories.clock.turn(seconds=1)
        memories.store(text)

    assert memories.walked(limit=12) == [texts[::-1]]
    assert sorted(memories.found("words", top_k=12)) == sorted(texts)


def test_a_repeated_request_is_told_what_the_first_one_did(memories: Memories) -> None:
    record = memories.key("k")
    first = memories.store(PIANO, record=record, ttl_hours=1)

    memories.clock.turn(minutes=30)
    with pytest.raises(AlreadyAnswered) as repeated:
        memories.store(PIANO, record=memories.key("k"), ttl_hours=1)

    answer = first_answer(repeated.value.stored, record)
    assert (answer.status, answer.body) == (201, dumps(first.response()))
    assert memories.walked() == [[PIANO]]


def test_a_key_belongs_to_its_first_request_for_a_day(memories: Memories) -> None:
    memories.store(PIANO, record=memories.key("k"))
    with pytest.raises(AlreadyAnswered) as other:
        memories.store(CASHEWS, record=memories.key("k", b"other"))
    with pytest.raises(Conflict):
        first_answer(other.value.stored, memories.key("k", b"other"))

    memories.clock.turn(hours=24)
    memories.store(CASHEWS, record=memories.key("k", b"other"))

    assert len(memories.found("piano")) == 2


def test_a_deletion_is_answered_once_more_and_a_refused_one_is_not_remembered(memories: Memories) -> None:
    stored = memories.store(PIANO)
    memories.delete(stored.memory.id, memories.key("k"))

    with pytest.raises(AlreadyAnswered) as repeated:
        memories.delete(stored.memory.id, memories.key("k"))
    assert first_answer(repeated.value.stored, memories.key("k")).status == 204
    for _ in range(2):
        with pytest.raises(NotFound):
            memories.delete(stored.memory.id, memories.key("other"))


def test_the_items_of_a_batch_are_judged_one_by_one_and_stored_together(memories: Memories) -> None:
    items = [
        {"agent_id": "a", "content": PIANO},
        {"agent_id": "a"},
        {"agent_id": "a", "content": CASHEWS, "metadata": {"k": 1}},
        {"agent_id": "a", "content": PIANO},
        {"agent_id": "a", "content": "NUL \0 in it"},
    ]
    outcomes = memories.store_all(items, memories.key("batch"))

    refusals = [isinstance(each, InvalidRequest) for each in outcomes]
    assert refusals == [False, True, False, False, True]
    first, _, second, third, _ = outcomes
    assert third.deduplicated  # type: ignore[union-attr]
    assert third.memory.id == first.memory.id  # type: ignore[union-attr]
    assert second.memory.metadata == {"k": 1}  # type: ignore[union-attr]
    with pytest.raises(AlreadyAnswered):
        memories.store_all(items, memories.key("batch"))
    assert sorted(memories.walked()[0]) == sorted([PIANO, CASHEWS])


def test_purging_an_agent_removes_all_of_it_and_nothing_else(memories: Memories) -> None:
    for agent in ("a", "a#", "b"):
        for place in range(3):
            memories.store(f"note {place}", agent_id=agent, dedupe=False)
    memories.store("brief", ttl_hours=1, record=memories.key("k"))
    memories.clock.turn(hours=2)

    assert memories.store_.purge(memories.tenant, "a") == 4
    assert memories.store_.purge(memories.tenant, "a") == 0
    assert len(memories.found("note", top_k=20)) == 6
    assert memories.found("note", agent_id="a") == []
