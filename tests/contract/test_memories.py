"""What every store of semantic memory promises: in memory, and in PostgreSQL by each connection mode."""

from typing import Any

import pytest

from agent_memory.domain.json_document import dumps, parse
from agent_memory.errors import NotFound
from tests.contract.memories import CASHEWS, CRANE, PIANO, Memories
from tests.unit.test_json_document import FAITHFUL


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
