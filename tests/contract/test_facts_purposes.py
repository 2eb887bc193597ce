"""What of a fact is told to whom, when it was said for different purposes."""

from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered
from agent_memory.domain.json_document import dumps, parse
from tests.contract.facts import KnownFacts, day

MARKETING: dict[str, Any] = {"purposes": ["marketing"], "metadata": {"campaign": "x"}}
CLINIC: dict[str, Any] = {
    "purposes": ["health"],
    "metadata": {"note": "moved for a treatment"},
    "source": {"kind": "clinic", "id": "7"},
    "agent_id": "a",
    "session_id": "s",
    "trust": "direct_user",
}
OF_AGENT: dict[str, Any] = {"agent_id": "a"}
TOOL: dict[str, Any] = {"trust": "tool_external"}


def test_words_are_told_to_those_for_whom_they_were_said(known: KnownFacts) -> None:
    known.say("Berlin", 1, **MARKETING, **OF_AGENT)
    known.say("Berlin", 2, **CLINIC, subject="ANA")

    (theirs,) = known.find(as_of=day(5), purpose="marketing")
    assert (theirs["metadata"], theirs.get("source"), theirs["session_id"]) == ({"campaign": "x"}, None, None)
    assert (theirs["subject"], theirs["purposes"]) == ("Ana", ["marketing"])
    (ours,) = known.find(as_of=day(5), purpose="health")
    assert (ours["metadata"], ours["source"]) == (CLINIC["metadata"], CLINIC["source"])
    assert (ours["subject"], ours["purposes"], ours["id"]) == ("ANA", ["health"], theirs["id"])
    assert known.values(5) == []


def test_a_fact_holds_for_a_purpose_as_long_as_was_said_for_it(known: KnownFacts) -> None:
    known.say("Berlin", 1, 4, purposes=["marketing"])
    known.say("Berlin", 3, 7, purposes=["health"])
    known.say("Berlin", 6, purposes=["marketing"])

    assert known.timeline(purpose="marketing") == ["Berlin"] * 3 + [None] * 2 + ["Berlin"] * 4
    assert known.timeline(purpose="health") == [None] * 2 + ["Berlin"] * 4 + [None] * 3
    (early,) = known.find(as_of=day(2), purpose="marketing")
    assert early["valid_to"] == "2020-01-04T00:00:00.000000Z"


def test_a_fact_is_kept_for_a_purpose_as_long_as_was_said_for_it(known: KnownFacts) -> None:
    berlin = known.say("Berlin", 1, purposes=["marketing"], ttl_hours=1).fact
    known.say("Berlin", 2, purposes=["health"])
    (theirs,) = known.find(purpose="marketing")
    assert theirs["expires_at"] == parse(dumps(berlin.response()))["expires_at"]

    known.clock.turn(hours=1)

    for _ in range(2):
        assert known.values(purpose="marketing", predicate="lives in") == []
        assert known.values(purpose="health", predicate="lives in") == ["Berlin"]
        known.say("tea", 1, subject="Bo", predicate="likes")


def test_what_is_said_for_everything_is_told_to_each_purpose_it_goes_on_for(known: KnownFacts) -> None:
    known.say("Rome", 3, metadata={"n": 1})
    known.say("Rome", 4, purposes=["care"], metadata={"n": 2})
    known.say("Rome", 5, purposes=["billing"], metadata={"n": 3})

    assert known.values(6) == known.values(6, purpose="marketing") == []
    for purpose, number in (("care", 2), ("billing", 3)):
        (told,) = known.find(as_of=day(3), purpose=purpose)
        assert (told["metadata"], told["purposes"]) == ({"n": number}, [purpose])


def test_facts_for_other_purposes_are_not_named(known: KnownFacts) -> None:
    hidden = known.say("Paris", 1, purposes=["health"])
    open_one = known.say("Rome", 3)
    theirs = known.say("Berlin", 5, purposes=["marketing"])
    last = known.say("Oslo", 7, purposes=["health"])

    assert hidden.superseded == open_one.superseded == last.superseded == ()
    assert theirs.superseded == (open_one.fact.id,)
    assert [each["by"] for each in known.find(as_of=day(6), purpose="marketing")] == [None]
    assert [each["by"] for each in known.find(as_of=day(2), purpose="health")] == [open_one.fact.id]
    assert [each["by"] for each in known.find(as_of=day(4), purpose="health")] == [None]
    assert [each["by"] for each in known.find(as_of=day(4), purpose="marketing")] == [theirs.fact.id]


def test_who_repeats_what_others_said_is_told_its_own_words(known: KnownFacts) -> None:
    known.say("Berlin", 1, **CLINIC)

    weak = known.say("Berlin", 2, **MARKETING, **OF_AGENT, **TOOL).fact
    assert (weak.why, weak.by, weak.valid_from) == ("merged", None, None)
    assert (weak.metadata, weak.source, weak.purposes) == ({"campaign": "x"}, None, ("marketing",))

    record = known.key("a")
    strong = known.say("Berlin", 3, **MARKETING, **OF_AGENT, record=record)
    assert (strong.fact.metadata, strong.fact.source, strong.fact.purposes) == ({"campaign": "x"}, None, ("marketing",))
    assert strong.fact.valid_from is not None
    assert strong.fact.valid_from.day == 3
    known.say("Berlin", 4, **CLINIC)
    with pytest.raises(AlreadyAnswered) as again:
        known.say("Berlin", 3, **MARKETING, **OF_AGENT, record=known.key("a"))
    assert again.value.stored.answer is not None
    assert parse(again.value.stored.answer.body or "") == parse(dumps(strong.response()))


def test_who_meets_something_more_trusted_for_others_is_not_told_what(known: KnownFacts) -> None:
    known.say("Berlin", 1, purposes=["health"])

    told = known.say("Rome", 2, purposes=["marketing"], **TOOL).fact

    assert (told.why, told.by, told.value) == ("outranked", None, "Rome")


def test_by_its_id_a_fact_is_the_whole_one(known: KnownFacts) -> None:
    berlin = known.say("Berlin", 1, **MARKETING, **OF_AGENT).fact.id
    known.say("Berlin", 2, **CLINIC)
    known.retract(berlin)

    assert known.values(5, purpose="marketing") == known.values(5, purpose="health") == []
    assert known.restore(berlin).fact.purposes == ("health", "marketing")
    assert [each["purposes"] for each in known.history(berlin)][-2:] == [["health", "marketing"], ["marketing"]]
