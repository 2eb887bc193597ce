"""What every store of facts promises: in memory, and in PostgreSQL by each connection mode."""

from agent_memory.domain.json_document import parse
from tests.contract.facts import KnownFacts, day


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
