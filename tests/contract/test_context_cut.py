"""A context that has no room for all: it says so, each time it is asked, by whichever instance."""

import pytest

from tests.contract.contexts import Known
from tests.contract.facts import fact


@pytest.fixture
def known(all_known: Known) -> Known:
    return all_known


def say_many(known: Known, count: int, size: int = 1) -> None:
    """Facts of one user, each of its own predicate; what makes them large is nothing that a block shows."""
    for start in range(0, count, 80):
        some = range(start, min(start + 80, count))
        noted = {"note": "x" * size}
        known.facts.say_all([fact(f"{number}", predicate=f"p{number}", metadata=noted) for number in some])


def test_more_facts_than_are_told_are_told_to_be_more_the_second_time_too(known: Known) -> None:
    say_many(known, 201)

    asked = [each.context("what is known?", token_budget=100_000) for each in (known, known, known.another())]

    assert 190 < len(asked[0]["facts"]) <= 200
    assert all(told["facts"] == asked[0]["facts"] for told in asked)
    assert [told["truncated"] for told in asked] == [True] * 3


def test_facts_that_are_too_large_for_one_answer_are_told_to_be_more_the_second_time_too(known: Known) -> None:
    say_many(known, 20, size=25_000)

    first, again = (known.context("what is known?", token_budget=100_000) for _ in range(2))

    assert 0 < len(first["facts"]) < 20
    assert again["facts"] == first["facts"]
    assert first["truncated"]
    assert again["truncated"]


def test_what_fits_is_not_told_to_be_cut(known: Known) -> None:
    say_many(known, 30)

    asked = [known.context("what is known?", token_budget=100_000) for _ in range(2)]

    assert [(len(told["facts"]), told["truncated"]) for told in asked] == [(30, False)] * 2
