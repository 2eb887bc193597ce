"""What every store of facts promises about time: in memory, and in PostgreSQL by each connection mode."""

from typing import Any

import pytest

from agent_memory.domain.json_document import dumps, parse
from tests.contract.facts import KnownFacts, day
from tests.unit.test_json_document import FAITHFUL


def test_a_new_value_closes_the_one_that_it_contradicts_and_says_so(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    berlin = known.say("Berlin", 5)

    assert (berlin.superseded, berlin.fact.why, berlin.fact.valid_to) == ((paris.fact.id,), "asserted", None)
    assert known.timeline() == ["Paris"] * 4 + ["Berlin"] * 5
    assert known.values() == ["Berlin"]
    assert known.whys(paris.fact.id) == [("asserted", None), ("superseded", berlin.fact.id)]
    (now, before) = known.history(paris.fact.id)
    assert (now["valid_to"], before["valid_to"]) == ("2020-01-05T00:00:00.000000Z", None)
    assert before["known_to"] == now["known_from"]


def test_what_was_known_at_a_time_is_not_changed_by_what_is_said_later(known: KnownFacts) -> None:
    known.say("Paris", 1)
    then = known.clock.turn(hours=1)
    known.clock.turn(hours=1)
    known.say("Berlin", 5)

    assert known.values(7, known_at=then) == ["Paris"]
    assert known.values(7) == ["Berlin"]
    assert known.values(7, known_at=then.replace(hour=1)) == []


def test_what_is_said_late_lands_where_it_belongs(known: KnownFacts) -> None:
    berlin = known.say("Berlin", 6)
    rome = known.say("Rome", 3)
    known.say("Paris", 1)

    assert known.timeline() == ["Paris"] * 2 + ["Rome"] * 3 + ["Berlin"] * 4
    assert (rome.superseded, rome.fact.valid_to and rome.fact.valid_to.day, rome.fact.by) == ((), 6, berlin.fact.id)


def test_an_older_value_that_comes_late_never_overrides_a_newer_one_that_was_only_repeated(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    assert known.say("Paris", 6).fact.id == paris.fact.id
    rome = known.say("Rome", 4)

    assert known.timeline() == ["Paris"] * 3 + ["Rome"] * 2 + ["Paris"] * 4
    assert rome.superseded == (paris.fact.id,)
    assert len({each["id"] for number in (1, 4, 6) for each in known.find(as_of=day(number))}) == 3


def test_an_equal_value_extends_a_fact_in_both_directions_and_makes_no_new_one(known: KnownFacts) -> None:
    first = known.say({"city": "Paris", "since": 1.0}, 3, 5)
    for start, end in ((5, 7), (2, 3), (4, 6), (3, 4)):
        told = known.say(parse('{"since":1e0,"city":"Paris"}'), start, end)
        assert (told.fact.id, told.superseded) == (first.fact.id, ())

    assert [each is not None for each in known.timeline()] == [False] + [True] * 5 + [False] * 3
    (only,) = known.find(as_of=day(6))
    assert (only["valid_from"], only["valid_to"]) == ("2020-01-02T00:00:00.000000Z", "2020-01-07T00:00:00.000000Z")


def test_of_two_statements_that_begin_together_the_later_word_stands(known: KnownFacts) -> None:
    paris = known.say("Paris", 1)
    assert known.say("Paris", 1, 4).fact.why == "corrected"
    assert known.timeline() == ["Paris"] * 3 + [None] * 6

    rome = known.say("Rome", 1)

    assert rome.superseded == (paris.fact.id,)
    assert known.timeline() == ["Rome"] * 9
    assert known.history(paris.fact.id)[0]["valid_from"] is None


def test_what_a_value_closed_does_not_come_back_when_that_value_ends(known: KnownFacts) -> None:
    known.say("Paris", 1)
    known.say("Berlin", 3, 5)

    assert known.timeline() == ["Paris"] * 2 + ["Berlin"] * 2 + [None] * 5
    assert known.values() == []


def test_without_times_a_fact_holds_from_when_it_is_said(known: KnownFacts) -> None:
    paris = known.say("Paris")
    known.clock.turn(seconds=-30)  # of another function, whose clock is behind
    berlin = known.another().say("Berlin")

    assert berlin.superseded == (paris.fact.id,)
    assert known.values() == ["Berlin"]
    assert paris.fact.valid_from is not None
    assert berlin.fact.valid_from is not None
    assert paris.fact.valid_from < berlin.fact.valid_from == berlin.fact.known_from


def test_many_values_stand_beside_each_other_and_an_equal_one_is_the_same_fact(known: KnownFacts) -> None:
    likes: dict[str, Any] = {"predicate": "likes", "cardinality": "many"}
    tea = known.say("tea", 1, **likes)
    milk = known.say("milk", 2, 5, **likes)

    assert (milk.superseded, known.say("tea", 4, **likes).fact.id) == ((), tea.fact.id)
    assert sorted(known.values(3, predicate="likes")) == ["milk", "tea"]
    assert known.values(6, predicate="likes") == ["tea"]


def test_spelling_makes_no_other_predicate_and_what_was_written_is_shown(known: KnownFacts) -> None:
    known.say("Paris", 1, subject="Ana  MARÍA", predicate="lives_in")
    berlin = known.say("Berlin", 2, subject="ana mari\u0301a", predicate="Lives-In")

    assert len(berlin.superseded) == 1
    (only,) = known.find(subject="ANA MARÍA", predicate="lives  in")
    assert (only["subject"], only["predicate"]) == ("ana mari\u0301a", "Lives-In")


@pytest.mark.parametrize(
    "other", [{"user_id": "bob"}, {"agent_id": "a"}, {"subject": "Ana's cat"}, {"predicate": "was born in"}], ids=str
)
def test_only_what_is_of_one_user_agent_subject_and_predicate_contradicts(
    known: KnownFacts, other: dict[str, Any]
) -> None:
    known.say("Paris", 1)

    assert known.say("Berlin", 2, **other).superseded == ()
    assert known.values(5, subject="Ana", predicate="lives in", agent_id="nobody") == ["Paris"]


def test_tenants_never_meet(known: KnownFacts) -> None:
    other = known.of(known.tenant + "-2")
    known.say("Paris", 1)

    assert other.say("Berlin", 2).superseded == ()
    assert (known.values(), other.values()) == (["Paris"], ["Berlin"])


def test_a_fact_is_read_as_it_was_written(known: KnownFacts) -> None:
    value = parse('{"values":[' + ",".join(each for each in FAITHFUL if "u0000" not in each) + "]}")
    fields: dict[str, Any] = {
        "agent_id": "a",
        "session_id": "s",
        "purposes": ["billing", "care"],
        "trust": "inference",
        "metadata": value,
        "source": {"kind": "mail", "id": "17"},
    }
    told = known.say(value, 1, 8, **fields)

    (read,) = known.find(as_of=day(3), purpose="care")
    assert dumps(read["value"]) == dumps(value)
    assert dumps({name: read[name] for name in fields}) == dumps(fields)
    assert dumps(parse(dumps(told.fact.response()))) == dumps(read) == dumps(known.history(told.fact.id)[0])


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
def test_any_json_is_a_value(known: KnownFacts, value: Any) -> None:
    known.say(value, 1)

    assert known.values() == [value]
    assert [type(each) for each in known.values()] == [type(value)]
