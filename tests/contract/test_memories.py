"""What every store of semantic memory promises: in memory, and in PostgreSQL by each connection mode."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, first_answer
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.semantic import MemoriesQuery
from agent_memory.errors import Conflict, InvalidRequest, NotFound
from tests.contract.memories import Memories
from tests.unit.test_json_document import FAITHFUL

PIANO = "Noor's piano weighs 240 kilos and goes up to the fourth floor."
CASHEWS = "Pim is allergic to cashews."
CRANE = "The crane for the move is booked for the ninth of June."


def test_what_was_stored_is_found_at_once_and_the_nearest_first(memories: Memories) -> None:
    for text in (PIANO, CASHEWS, CRANE):
        memories.clock.turn(seconds=1)
        memories.store(text)

    assert memories.found("is Pim allergic to anything?")[0] == CASHEWS
    assert memories.found("when is the crane booked")[0] == CRANE
    assert len(memories.found("piano")) == 3
    assert memories.found("piano", top_k=1) == [PIANO]
    assert memories.search(CRANE)[0]["similarity_score"] == pytest.approx(1, abs=1e-3)


def test_a_memory_is_read_as_it_was_written(memories: Memories) -> None:
    metadata = parse('{"values":[' + ",".join(FAITHFUL) + "]}")
    fields: dict[str, Any] = {
        "user_id": "ana",
        "session_id": "s",
        "purposes": ["care", "billing"],
        "trust": "inference",
    }
    source = {"kind": "mail", "id": "17"}
    stored = memories.store(
        " Zeile eins\r\n\tline two  🦊\n",
        metadata=metadata,
        source=source,
        timestamp="2020-01-01T00:00:00.000001Z",
        **fields,
    )

    read = parse(dumps(memories.semantic.get(memories.tenant, stored.memory.id).response()))

    assert read["content"] == " Zeile eins\r\n\tline two  🦊\n"
    assert dumps(read["metadata"]) == dumps(metadata)
    assert {name: read[name] for name in fields} == fields
    assert (read["source"], read["timestamp"]) == (source, "2020-01-01T00:00:00.000001Z")
    assert read["similarity_score"] is None


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


def test_tenants_never_meet(memories: Memories) -> None:
    other = memories.of(memories.tenant + "-2")
    mine, theirs = memories.store(PIANO), other.store(PIANO)

    assert not theirs.deduplicated
    assert memories.found("piano") == other.found("piano") == [PIANO]
    assert mine.memory.id != theirs.memory.id
    for read in (other.semantic.get, other.semantic.history):
        with pytest.raises(NotFound):
            read(other.tenant, mine.memory.id)
    with pytest.raises(NotFound):
        other.delete(mine.memory.id)


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


FILTERS: list[dict[str, Any]] = [
    {"agent_id": "b"},
    {"namespace": "n"},
    {"user_id": "ana"},
    {"session_id": "s"},
    {"metadata_filter": {"k": 1}},
    {"metadata_filter": {"k": 1.0, "deep": {"b": [1], "a": None}}},
    {"from": "2024-06-01T00:00:00Z", "to": "2024-06-01T00:00:00Z"},
    {"from": "2024-01-02T00:00:00Z", "to": "2024-12-01T00:00:00Z"},
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_every_filter_passes_exactly_what_it_names(memories: Memories, wanted: dict[str, Any]) -> None:
    for place in range(12):
        memories.store(f"plain note {place}", timestamp="2024-01-01T00:00:00Z", metadata={"k": "1"}, dedupe=False)
    memories.store(
        "the one of them all, unlike what is asked",
        agent_id="b",
        namespace="n",
        user_id="ana",
        session_id="s",
        metadata={"k": 1, "deep": {"a": None, "b": [1]}},
        timestamp="2024-06-01T00:00:00Z",
    )

    assert memories.found("plain note", top_k=3, **wanted) == ["the one of them all, unlike what is asked"]
    everything: dict[str, Any] = {name: value for each in FILTERS for name, value in each.items()}
    assert len(memories.found("plain note", top_k=3, **everything)) == 1
    assert memories.found("plain note", **everything | {"user_id": "bob"}) == []


def test_filters_leave_enough_to_fill_the_answer(memories: Memories) -> None:
    for place in range(40):
        memories.store(f"note {place}", metadata={"rare": place % 8 == 0}, dedupe=False)

    assert len(memories.found("note", top_k=5, metadata_filter={"rare": True})) == 5


def test_a_threshold_is_a_cosine(memories: Memories) -> None:
    memories.store(PIANO)
    memories.store(CASHEWS)

    assert memories.found(PIANO, threshold=0.9) == [PIANO]
    assert memories.found(PIANO, threshold=-1) == [PIANO, CASHEWS]
    assert memories.found("xylophone", threshold=1) == []


def test_expired_is_absent_from_its_second_on(memories: Memories) -> None:
    brief = memories.store(PIANO, ttl_hours=1)
    memories.store(CASHEWS)
    assert len(memories.found("piano")) == 2

    memories.clock.turn(hours=1)

    assert memories.found("piano") == [CASHEWS]
    assert memories.walked() == [[CASHEWS]]
    for read in (memories.semantic.get, memories.semantic.history):
        with pytest.raises(NotFound):
            read(memories.tenant, brief.memory.id)
    with pytest.raises(NotFound):
        memories.delete(brief.memory.id)
    assert not memories.store(PIANO).deduplicated


def test_of_two_expiries_the_later_one_holds(memories: Memories) -> None:
    at = memories.clock()
    assert memories.store(PIANO, ttl_hours=2).memory.expires_at == at + timedelta(hours=2)
    assert memories.store(PIANO, ttl_hours=1).memory.expires_at == at + timedelta(hours=2)
    assert memories.store(PIANO, ttl_hours=3).memory.expires_at == at + timedelta(hours=3)
    assert memories.store(PIANO).memory.expires_at is None
    assert memories.store(PIANO, ttl_hours=1).memory.expires_at is None


def test_a_deleted_memory_is_gone_for_every_reader(memories: Memories) -> None:
    doomed, kept = memories.store(PIANO), memories.store(CASHEWS)

    memories.delete(doomed.memory.id)

    assert memories.found("piano") == [CASHEWS]
    assert memories.walked() == [[CASHEWS]]
    for read in (memories.semantic.get, memories.semantic.history):
        with pytest.raises(NotFound):
            read(memories.tenant, doomed.memory.id)
    with pytest.raises(NotFound):
        memories.delete(doomed.memory.id)
    assert memories.semantic.get(memories.tenant, kept.memory.id).content == CASHEWS


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


def test_a_merge_without_metadata_keeps_what_was_there(memories: Memories) -> None:
    memories.store(PIANO, metadata={"k": 1})

    assert memories.store(PIANO).memory.metadata == {"k": 1}
    assert memories.found("piano", metadata_filter={"k": 1}) == [PIANO]


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


def test_vectors_of_different_models_are_never_compared(memories: Memories) -> None:
    memories.store(PIANO)
    memories.embedder.name = "another model"

    assert memories.found("piano") == []
    assert not memories.store(PIANO).deduplicated
    assert memories.found("piano") == [PIANO]


@pytest.mark.parametrize("name", ["#", "%23", "x" * 256, "🦄" * 64, "שלום", "'; DROP TABLE memory.memories; --", "\\"])
def test_any_id_will_do(memories: Memories, name: str) -> None:
    memories.store(PIANO, agent_id=name, namespace=name, user_id=name, session_id=name, metadata={name: name})
    memories.store(CASHEWS)

    by: dict[str, Any] = {"agent_id": name, "namespace": name, "user_id": name, "session_id": name}
    for asked in ({each: name} for each in by):
        assert memories.found("piano", **asked) == [PIANO]
    assert memories.found("piano", **by, metadata_filter={name: name}) == [PIANO]
    assert memories.walked(agent_id=name, namespace=name, user_id=name) == [[PIANO]]


def test_a_text_is_embedded_once_for_a_store_and_a_query_once_for_a_search(memories: Memories) -> None:
    memories.store(PIANO)
    memories.search("piano")

    assert memories.embedder.calls == 2
