"""Who may say what, who may hear it, and what is taken back."""

from typing import Any

import pytest

from agent_memory.errors import Conflict, NotFound
from tests.contract.facts import KnownFacts, day, fact

TOOL: dict[str, Any] = {"trust": "tool_external"}


def test_a_less_trusted_source_never_supersedes_a_more_trusted_one(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    rumour = known.say("Berlin", 5, **TOOL)

    assert (rumour.superseded, rumour.fact.why, rumour.fact.by) == ((), "outranked", paris.fact.id)
    assert (rumour.fact.valid_from, known.timeline()) == (None, ["Paris"] * 9)
    assert known.say("Berlin", 6, **TOOL).fact.id == rumour.fact.id  # and does so again

    known.retract(paris.fact.id)

    assert known.timeline() == [None] * 4 + ["Berlin"] * 5
    assert known.whys(rumour.fact.id)[-1] == ("restored", None)


def test_a_more_trusted_source_supersedes_what_is_less_trusted_also_at_the_same_time(known: KnownFacts) -> None:
    rumour = known.say("Berlin", 3, **TOOL)
    paris = known.say("Paris", 3)

    assert paris.superseded == ()  # it is not closed: it never held
    assert known.whys(rumour.fact.id)[-1] == ("outranked", paris.fact.id)
    assert known.timeline() == [None] * 2 + ["Paris"] * 7
    assert known.say("Rome", 3, **TOOL).fact.by == paris.fact.id


def test_a_less_trusted_repetition_says_nothing_of_how_long_it_holds_but_of_how_long_it_is_kept(
    known: KnownFacts,
) -> None:
    paris = known.say("Paris", 1, 5, ttl_hours=1)
    known.say("Paris", 3, **TOOL, ttl_hours=3)

    (told,) = known.find(as_of=day(4))
    assert (told["id"], told["valid_to"], told["trust"]) == (
        paris.fact.id,
        "2020-01-05T00:00:00.000000Z",
        "direct_user",
    )
    known.clock.turn(hours=2)
    assert known.values(4) == ["Paris"]


def test_what_is_retracted_is_current_at_no_time_and_its_past_is_still_known(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    berlin = known.say("Berlin", 5)
    known.say("Berlin", 7)
    then = known.clock()
    known.clock.turn(hours=1)

    known.retract(berlin.fact.id)

    assert known.timeline() == ["Paris"] * 9
    assert known.values(7, known_at=berlin.fact.known_from) == ["Berlin"]
    assert known.values(7, known_at=then.replace(minute=31)) == ["Berlin"]
    assert known.whys(berlin.fact.id)[-1] == ("retracted", None)
    assert known.whys(paris.fact.id) == [("asserted", None), ("superseded", berlin.fact.id), ("restored", None)]
    with pytest.raises(Conflict):
        known.retract(berlin.fact.id)


def test_what_is_restored_takes_its_place_by_the_same_rule(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    known.retract(paris.fact.id)
    berlin = known.say("Berlin", 5)
    assert known.timeline() == [None] * 4 + ["Berlin"] * 5

    restored = known.restore(paris.fact.id)

    assert known.timeline() == ["Paris"] * 4 + ["Berlin"] * 5
    assert (restored.fact.id, restored.fact.by, restored.fact.why) == (paris.fact.id, berlin.fact.id, "restored")
    with pytest.raises(Conflict):
        known.restore(paris.fact.id)


def test_of_a_restored_fact_that_was_overlapped_only_what_nobody_said_otherwise_holds(known: KnownFacts) -> None:
    rome = known.say("Rome", 3)
    known.retract(rome.fact.id)
    known.say("Paris", 1)
    known.say("Berlin", 6)

    told = known.restore(rome.fact.id)

    assert known.timeline() == ["Paris"] * 2 + ["Rome"] * 3 + ["Berlin"] * 4
    assert len(told.superseded) == 1


def test_an_unknown_fact_is_absent_for_everybody(known: KnownFacts) -> None:
    theirs = known.of(known.tenant + "-2").say("Paris", 1).fact.id
    for unknown in (theirs, "00000000-0000-4000-8000-000000000000"):
        for use in (known.retract, known.restore, known.history):
            with pytest.raises(NotFound):
                use(unknown)


def test_a_purpose_that_is_not_asked_for_never_appears(known: KnownFacts) -> None:
    likes: dict[str, Any] = {"predicate": "likes", "cardinality": "many"}
    known.say("tea", 1, **likes)
    known.say("wine", 1, **likes, purposes=["care", "billing"])

    for on in (None, 5):
        assert known.values(on) == ["tea"]
        assert known.values(on, purpose="marketing") == ["tea"]
        assert sorted(known.values(on, purpose="care")) == ["tea", "wine"]
        assert known.values(on, known_at=known.clock()) == ["tea"]


def test_purposes_of_repetitions_add_up_and_an_open_fact_can_be_narrowed(known: KnownFacts) -> None:
    known.say("Paris", 1, purposes=["care"])
    known.say("Paris", 2, purposes=["billing"])
    assert known.values(5, purpose="care") == known.values(5, purpose="billing") == ["Paris"]

    known.say("Rome", 3)
    known.say("Rome", 4, purposes=["care"])

    assert (known.values(5), known.values(5, purpose="care")) == ([], ["Rome"])


def test_an_agent_knows_its_own_facts_and_those_that_all_agents_know(known: KnownFacts) -> None:
    likes: dict[str, Any] = {"predicate": "likes", "cardinality": "many"}
    for agent in (None, "a", "b"):
        known.say(f"tea of {agent}", 1, **likes, agent_id=agent)

    assert sorted(known.values(5, agent_id="a")) == ["tea of None", "tea of a"]
    assert len(known.values(5)) == 3


def test_a_purge_takes_what_the_agent_alone_knew(known: KnownFacts) -> None:
    known.say("Paris", 1, agent_id="a")
    theirs = known.of(known.tenant + "-2").say("Paris", 1, agent_id="a").fact.id
    known.say("Berlin", 1)
    gone = known.say("Rome", 3, agent_id="a").fact.id

    assert known.store.purge(known.tenant, "a") == 2
    assert known.store.purge(known.tenant, "a") == 0

    assert known.values() == known.values(4, agent_id="a") == ["Berlin"]
    with pytest.raises(NotFound):
        known.history(gone)
    assert known.of(known.tenant + "-2").history(theirs)


def test_the_cardinality_of_a_predicate_is_what_was_said_first_as_long_as_any_fact_of_it_stands(
    known: KnownFacts,
) -> None:
    likes: dict[str, Any] = {"predicate": "likes"}
    tea = known.say("tea", 1, **likes, cardinality="many")
    assert known.say("milk", 1, **likes).fact.cardinality == "many"  # what is left out is what it is

    with pytest.raises(Conflict) as refused:
        known.say("wine", 1, **likes, cardinality="one")
    assert refused.value.details == [
        {"field": "cardinality", "rule": "must be the predicate's, as long as any fact of it stands"}
    ]
    assert len(known.values(predicate="likes")) == 2

    for each in known.find(predicate="likes"):
        known.retract(each["id"])
    known.say("wine", 1, **likes, cardinality="one")
    with pytest.raises(Conflict):
        known.restore(tea.fact.id)
    assert known.values(predicate="likes") == ["wine"]


def test_a_bundle_is_kept_whole_or_not_at_all(known: KnownFacts) -> None:
    known.say("tea", 1, predicate="likes", cardinality="many")
    items = [fact("Paris", 1), fact("wine", 1, predicate="likes", cardinality="one")]

    with pytest.raises(Conflict) as refused:
        known.say_all(items)

    assert isinstance(refused.value.details, list)
    assert refused.value.details[0]["field"] == "items.1.cardinality"
    assert known.values() == ["tea"]

    told = known.say_all([fact("Rome", 3), fact("Paris", 1), fact("tea", 2, predicate="likes"), fact("Rome", 5)])

    assert [each.fact.value for each in told] == ["Rome", "Paris", "tea", "Rome"]
    assert len({each.fact.id for each in told}) == 3
    assert len({each.fact.known_from for each in told}) == 1
    assert known.timeline(predicate="lives in") == ["Paris"] * 2 + ["Rome"] * 7
