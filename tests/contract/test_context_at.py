"""The times of a context: `at` is what is asked about, and what has expired by now is gone whatever is asked."""

from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.state import StateKey
from tests.contract.contexts import Known
from tests.contract.facts import day
from tests.contract.memories import CASHEWS, CRANE, PIANO

LAYERS = ("facts", "memories", "summaries", "procedures")
MESSAGE = "plan the move: who is allergic to cashews?"


@pytest.fixture
def known(all_known: Known) -> Known:
    return all_known


def say_all(known: Known, **fields: Any) -> None:
    """One record in every layer."""
    known.facts.say("Porto", 1, **fields)
    known.memories.store(CASHEWS, user_id="ana", **fields)
    known.memories.store("They planned the move.", user_id="ana", namespace="summaries", **fields)
    known.handbook.put("move", trigger="plan the move", steps=["Book a crane."], **fields)


def told(known: Known, **fields: Any) -> list[int]:
    """How many there are in each layer."""
    context = known.context(MESSAGE, **fields)
    return [len(context[layer]) for layer in LAYERS]


def past(known: Known, **ago: float) -> str:
    return (known.clock() - timedelta(**ago)).isoformat()


def test_what_has_expired_is_told_in_no_layer_whatever_time_is_asked_about(known: Known) -> None:
    say_all(known, ttl_hours=1)
    assert told(known) == told(known, at=past(known, minutes=0)) == [1, 1, 1, 1]

    known.clock.turn(hours=5)

    for at in (past(known, hours=4, minutes=59), past(known, hours=4, minutes=30), past(known, hours=1)):
        assert told(known, at=at) == [0, 0, 0, 0]
        assert known.facts.find(as_of=at) == []
        assert known.memories.search(MESSAGE, as_of=at, user_id="ana") == []
    assert told(known) == [0, 0, 0, 0]


def test_what_lives_is_told_for_a_time_at_which_it_will_have_expired(known: Known) -> None:
    """As facts and searches do: a time to come hides nothing."""
    say_all(known, ttl_hours=1)
    at = (known.clock() + timedelta(hours=2)).isoformat()

    assert told(known, at=at) == [1, 1, 1, 1]
    assert [each["value"] for each in known.facts.find(as_of=at)] == ["Porto"]
    assert len(known.memories.search("cashews", as_of=at, user_id="ana", namespace="default")) == 1


def test_a_state_that_has_expired_is_not_told_whatever_time_is_asked_about(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(known.states, "get", lambda *given: asked.append(given))

    known.context(MESSAGE, at=day(3))
    known.context(MESSAGE)

    assert asked == [(StateKey(known.tenant, "a", "default"), known.clock())] * 2


def test_at_leaves_out_what_came_later_and_measures_age_from_then(known: Known) -> None:
    now = known.clock()
    known.memories.store(CRANE, user_id="ana", timestamp=(now - timedelta(days=2)).isoformat())
    known.memories.store(PIANO, user_id="ana", timestamp=(now - timedelta(days=900)).isoformat(), ttl_hours=1)

    assert set(known.texts("crane and piano")) == {CRANE, PIANO}
    assert known.texts("crane and piano", at=past(known, days=3)) == [PIANO]
    (old,) = known.context("piano", at=past(known, days=900))["memories"]
    aged = [each["score"] for each in known.context("piano")["memories"] if each["id"] == old["id"]]
    assert old["score"] > aged[0] * 1.1


def test_a_time_of_the_caller_does_not_change_what_is_told_without_one(known: Known) -> None:
    known.facts.say("Porto", 1)
    known.facts.say("Berlin", 5)
    for _ in range(2):
        assert known.values() == ["Berlin"]
        assert known.values(at=day(3)) == ["Porto"]
