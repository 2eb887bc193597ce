"""What a context is made of: facts, memories, summaries and procedures by one call, in memory and in PostgreSQL."""

from typing import Any

import pytest

from agent_memory.adapters.sql_context import SqlContextStore
from agent_memory.errors import StoreUnavailable
from tests.contract.contexts import Known
from tests.contract.facts import day
from tests.contract.memories import CASHEWS, CRANE, PIANO
from tests.fakes.clock import Clock


@pytest.fixture
def known(all_known: Known) -> Known:
    return all_known


def test_one_call_has_what_each_layer_knows(known: Known) -> None:
    known.facts.say("Porto")
    for text in (PIANO, CASHEWS, CRANE):
        known.memories.store(text, user_id="ana", session_id="s", metadata={"n": 1})
    known.memories.store("They planned the move.", user_id="ana", namespace="summaries")
    known.handbook.put("move", trigger="plan the move", steps=["Book a crane."])

    told = known.context("plan the move: who is allergic to cashews?")

    assert told["memories"][0]["content"] == CASHEWS
    assert told["memories"][0]["passage"] == {"start": 0, "end": len(CASHEWS)}
    assert (told["memories"][0]["metadata"], told["memories"][0]["session_id"]) == ({"n": 1}, "s")
    assert [each["content"] for each in told["summaries"]] == ["They planned the move."]
    assert len(told["memories"]) == 3, "summaries are no memories"
    assert [(each["name"], each["version"]) for each in told["procedures"]] == [("move", 1)]
    assert [each["value"] for each in told["facts"]] == ["Porto"]
    assert not told["truncated"]
    assert "degraded" not in told


def test_the_order_and_the_scores_are_those_of_search(known: Known) -> None:
    for place, text in enumerate((PIANO, CASHEWS, CRANE, "Pim likes the sea.", "The crane is heavy.")):
        known.memories.store(text, user_id="ana", session_id="s" if place % 2 else None)

    told = known.context("How heavy is Noor's piano, and when does the crane come?", top_k=4)
    found = known.memories.search(
        "How heavy is Noor's piano, and when does the crane come?", agent_id="a", user_id="ana", top_k=4
    )

    assert [each["id"] for each in told["memories"]] == [each["id"] for each in found]
    assert [each["score"] for each in told["memories"]] == pytest.approx([each["score"] for each in found])


def test_without_a_vector_words_find(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    known.memories.store(CASHEWS, user_id="ana")
    known.memories.store(PIANO, user_id="ana")
    known.handbook.put("nuts", trigger="allergic to nuts", steps=["Ask."])

    def away(_: object) -> list[Any]:
        raise StoreUnavailable("the embedding model did not answer")

    monkeypatch.setattr(known.embedder, "embed", away)
    told = known.context("who is allergic to nuts, or cashews?")

    assert told["degraded"] == ["vectors"]
    assert [each["content"] for each in told["memories"]] == [CASHEWS]
    assert [each["name"] for each in told["procedures"]] == ["nuts"]


def test_of_a_long_text_the_passage_is_told_that_was_found(known: Known) -> None:
    filler = "The harbour master wrote down every crate that came ashore on that day. "
    text = filler * 12 + CASHEWS + " " + filler * 12
    known.memories.store(text, user_id="ana")

    (told,) = known.context("Who is allergic to cashews?")["memories"]

    assert CASHEWS in told["content"]
    assert told["content"] == text[told["passage"]["start"] : told["passage"]["end"]] != text
    assert told["length"] == len(text)


def test_a_fact_that_was_said_is_in_the_next_context_of_every_instance(known: Known) -> None:
    one, two = known, known.another()
    for city in ("Porto", "Berlin", "Faro"):
        known.facts.say(city)
        assert one.values() == two.values() == [city], "what either held before does not stand any more"
        assert one.values() == [city]


def test_a_retracted_fact_is_gone_from_every_instance_and_comes_back_restored(known: Known) -> None:
    two = known.another()
    told = known.facts.say("Porto")
    assert known.values() == two.values() == ["Porto"]

    known.facts.retract(told.fact.id)
    assert known.values() == two.values() == []
    known.facts.restore(told.fact.id)
    assert known.values() == two.values() == ["Porto"]


def test_a_superseded_an_expired_and_an_ended_fact_are_not_told(known: Known, clock: Clock) -> None:
    known.facts.say("Porto", 1)
    known.facts.say("Berlin", 5)
    known.facts.say("gout", predicate="has", expires_at="2026-11-20T09:31:00Z")
    known.facts.say("leave", predicate="is on", valid_to="2026-11-20T09:32:00Z")
    known.facts.say("mayor", predicate="is", valid_from="2026-11-20T09:33:00Z")
    told = [set(known.values())]
    for _ in range(3):
        clock.turn(minutes=1)
        told.append(set(known.values()))

    assert told == [{"Berlin", "gout", "leave"}, {"Berlin", "leave"}, {"Berlin"}, {"Berlin", "mayor"}]
    assert known.values(at=day(3)) == ["Porto"]


def test_facts_of_an_agent_that_is_purged_are_not_told_again(known: Known) -> None:
    two = known.another()
    known.facts.say("Porto", agent_id="a")
    assert known.values() == two.values() == ["Porto"]

    while known.facts.store.purge(known.tenant, "a"):
        pass

    assert known.values() == two.values() == []
    known.facts.say("Faro", agent_id="a")
    assert known.values() == two.values() == ["Faro"]


def test_an_agent_knows_its_own_facts_and_those_of_all_agents(known: Known) -> None:
    known.facts.say("Porto")
    known.facts.say("tea", agent_id="a", predicate="likes")
    known.facts.say("coffee", agent_id="b", predicate="likes")

    assert set(known.values()) == {"Porto", "tea"}
    assert set(known.values(agent_id="b")) == {"Porto", "coffee"}


def test_nothing_of_another_user_agent_or_tenant_is_told(known: Known) -> None:
    other = known.of(f"{known.tenant}-other")
    for mine in (known, other):
        mine.facts.say("Porto", user_id="ana" if mine is other else "bob")
        mine.memories.store(PIANO, user_id="ana" if mine is other else "bob")
        mine.memories.store(CRANE, agent_id="b", user_id="ana")
        mine.memories.store("They planned it.", namespace="summaries", user_id="bob")
        mine.handbook.put("move", trigger="plan the move", steps=["Ask."], agent_id="b")

    told = known.context("plan the move of the piano")

    assert (told["facts"], told["memories"], told["summaries"], told["procedures"]) == ([], [], [], [])
    assert told["block"] == ""


@pytest.mark.parametrize("purpose", [None, "marketing"])
def test_what_has_purposes_is_told_for_one_of_them_alone(known: Known, purpose: str | None) -> None:
    known.facts.say("asthma", predicate="has", purposes=["care"])
    known.memories.store(CASHEWS, user_id="ana", purposes=["care"])
    known.memories.store("She is allergic.", user_id="ana", purposes=["care"], namespace="summaries")
    known.handbook.put("nuts", trigger="allergic to cashews", steps=["Ask."], purposes=["care"])

    hidden = known.context("Who is allergic to cashews?", purpose=purpose)
    shown = known.context("Who is allergic to cashews?", purpose="care")

    layers = ("facts", "memories", "summaries", "procedures")
    assert [len(hidden[layer]) for layer in layers] == [0, 0, 0, 0]
    assert [len(shown[layer]) for layer in layers] == [1, 1, 1, 1]
    assert [len(known.context("Who is allergic?", purpose=purpose)[layer]) for layer in layers] == [0, 0, 0, 0]


def test_top_k_bounds_each_layer(known: Known) -> None:
    for number in range(8):
        known.memories.store(f"Crate {number} came ashore.", user_id="ana", dedupe=False)
        known.memories.store(f"They counted crate {number}.", user_id="ana", dedupe=False, namespace="summaries")

    told = known.context("Which crate came ashore?", top_k=3)

    assert (len(told["memories"]), len(told["summaries"])) == (3, 3)


def test_one_question_is_one_call_of_the_database(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(known.store, SqlContextStore):
        return
    known.facts.say("Porto")
    known.memories.store(PIANO, user_id="ana")
    calls: list[str] = []
    database = known.store._database
    call = database.call

    def counted(function: str, *given: Any) -> Any:
        calls.append(function)
        return call(function, *given)

    monkeypatch.setattr(database, "call", counted)

    known.context("piano")
    known.context("piano")

    assert calls == ["context", "context"]
