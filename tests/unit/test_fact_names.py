"""When two spellings of a subject or a predicate mean the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.fact_names import normal_predicate, normal_subject, predicate_key, subject_key

SAME = [
    ("Ana", "ANA"),
    ("Ana", " Ana\t"),
    ("Ana María", "ana  mari\u0301a"),
    ("Straße", "STRASSE"),
    ("ﬁnance", "Finance"),
    ("Ａｎａ", "ana"),
    ("a\u200bna", "ana"),
    ("tea ☕\ufe0f", "TEA ☕"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("Ana\u00a0B", "ana b"),
]
APART = [("Ana", "Anna"), ("C", "C++"), ("x-1", "x 1"), ("i", "ı"), ("user.name", "user name"), ("é", "e")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_the_same_are_one(one: str, other: str) -> None:
    assert normal_subject(one) == normal_subject(other)
    assert subject_key(one) == subject_key(other)
    assert predicate_key(one) == predicate_key(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_is_not_the_same_stays_apart(one: str, other: str) -> None:
    assert subject_key(one) != subject_key(other)


@pytest.mark.parametrize("spelling", ["lives_in", "Lives-In", "lives  in", "_lives__in-", "LIVES IN"])
def test_in_a_predicate_what_joins_words_is_white_space(spelling: str) -> None:
    assert normal_predicate(spelling) == "lives in"
    assert predicate_key(spelling) == predicate_key("lives in")


@given(st.text())
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    for normal in (normal_subject, normal_predicate):
        assert normal(normal(text)) == normal(text)


@given(st.text())
def test_case_and_white_space_around_say_nothing(text: str) -> None:
    for normal in (normal_subject, normal_predicate):
        assert normal(f"  {text}\n") == normal(text) == normal(text.casefold())
