"""Texts are merged when they say the same; whatever might be another fact stays a row of its own."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.merging import says_the_same, signature


def same(a: str, b: str) -> bool:
    return says_the_same(signature(a), signature(b))


LONG = "the {} called about the delivery and asked whether it could be replaced" + ", before the weekend or after" * 10


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The user prefers dark mode", "User prefers dark mode."),
        ("The user prefers dark mode", "the user prefers dark mode!"),
        ("User prefers dark mode.", "the user  prefers\ndark-mode"),
        ("The user likes hiking in the Alps", "User really loves hiking in Alps!"),
        ("Ana doesn't eat meat", "Ana does not eat meat"),
        ("ana doesn’t eat meat", "Ana doesnt eat meat"),
        ("Bob cannot swim", "Bob can't swim"),
        ("I'll call Ana", "I will call Ana"),
        ("The user's dog is called Rex", "user's dog called “Rex”"),
        ("Budget: 1,500.00 €", "budget 1,500.00 € !"),
        ("Größe: 42", "GRÖSSE 42"),
        ("cafe\u0301 at ten", "Café at ten"),
        ("ユーザーは東京に住んでいます。", "ユーザーは東京に住んでいます"),
        ("أحب القهوة.", "أحب القهوة!"),
        ("co\u00adoperation", "cooperation"),
        (LONG.format("customer"), LONG.format("Customer").replace("the ", "The ")),
    ],
)
def test_what_differs_in_case_punctuation_or_soft_words_is_the_same(a: str, b: str) -> None:
    assert same(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        # Numbers, amounts, identifiers.
        ("The meeting is at 3pm", "The meeting is at 5pm"),
        ("The meeting is at 3 am", "The meeting is at 3 pm"),
        ("It costs €480", "It costs €390"),
        ("It costs €480", "It costs $480"),
        ("It is 5 degrees", "It is -5 degrees"),
        ("It is 5 degrees", "It is −5 degrees"),
        ("Sales changed by +5%", "Sales changed by -5%"),
        ("Sales changed by 5%", "Sales changed by 5"),
        ("The dose is 1.5 ml", "The dose is 5.1 ml"),
        ("The dose is 0.5 ml", "The dose is .5 ml"),
        ("The dose is 5 ml", "The dose is .5 ml"),
        ("The user weighs 240kg", "The user weighs 240lb"),
        ("Due on 2026-11-20", "Due on 2026-11-02"),
        ("user-1 lives in Berlin", "user-2 lives in Berlin"),
        ("Bob has two cats", "Bob has three cats"),
        ("The first option is best", "The second option is best"),
        ("He writes C", "He writes C++"),
        ("The grade was A+", "The grade was A-"),
        ("See example.com/a", "See example.com/b"),
        ("x < 5", "x > 5"),
        # Names, capital or not.
        ("Ana likes tea", "Eva likes tea"),
        ("ana likes tea", "eva likes tea"),
        ("The user lives in Berlin", "The user lives in Bern"),
        ("the user lives in berlin", "the user lives in bern"),
        ("Ana likes tea", "Ana likes coffee"),
        # Negations and opposites.
        ("The user likes jazz", "The user does not like jazz"),
        ("Bob can swim", "Bob can't swim"),
        ("Bob will come", "Bob won't come"),
        ("Serve cashews", "Serve no cashews"),
        ("Coffee with milk", "Coffee without milk"),
        ("Call before lunch", "Call after lunch"),
        ("User wants more mail", "User wants less mail"),
        ("Prices increase", "Prices decrease"),
        ("Always ask", "Never ask"),
        ("The light is on", "The light is off"),
        ("It is enabled", "It is disabled"),
        ("Turn left", "Turn right"),
        ("Tea and cake", "Tea or cake"),
        ("Ana is here", "Ana is there"),
        ("It is hot", "It is too hot"),
        ("You may share it", "You must share it"),
        ("Der Nutzer isst Fleisch", "Der Nutzer isst kein Fleisch"),
        ("L'utilisateur mange de la viande", "L'utilisateur ne mange pas de viande"),
        ("Пользователь любит кофе", "Пользователь не любит кофе"),
        # Who and when.
        ("Ana is married", "Ana was married"),
        ("Ana owns a dog", "Ana owned a dog"),
        ("Ana is a boss", "Ana has a boss"),
        ("His dog is old", "Her dog is old"),
        ("I owe you money", "You owe me money"),
        # The same words the other way round.
        ("Ana manages Bob", "Bob manages Ana"),
        ("User prefers tea over coffee", "User prefers coffee over tea"),
        ("User moved from Berlin to Bern", "User moved from Bern to Berlin"),
        ("At home the user wants dark mode, at work the user wants light mode",
         "At home the user wants light mode, at work the user wants dark mode"),
        # Scripts without capitals, without spaces, with vowel signs.
        ("東京は明日雨が降ります", "東京は明日雪が降ります"),
        ("المستخدم يحب القهوة", "المستخدم يحب الشاي"),
        ("यह की है", "यह कि है"),
        ("ผู้ใช้ชอบชา", "ผู้ใช้ไม่ชอบชา"),
        # No words at all, and a single one among many.
        ("👍", "👎"),
        ("the", "an"),
        ("Is Bob allergic to nuts?", "Bob is allergic to nuts."),
        ("✅ Pay the invoice", "❌ Pay the invoice"),
        ("Just Bob has access to the vault", "Bob has access to the vault"),
        ("Do delete the backups", "Delete the backups?"),
        ("rm -rf /tmp/a; ls", "rm -rf /tmp/a | ls"),
        ("The box is on the table", "The box is in the table"),
        (LONG.format("customer"), LONG.format("supplier")),
    ],
)  # fmt: skip
def test_what_may_be_another_fact_is_kept_apart(a: str, b: str) -> None:
    assert not same(a, b)
    assert not same(b, a)


def test_marks_and_words_are_sorted_and_distinct() -> None:
    taken = signature("Bob, Bob and Ana met at 3pm and at 3pm")

    assert set(taken.marks) >= {"3pm", "ana", "bob", "met"}
    assert set(taken.words) == {*taken.marks, "and", "at"}
    for list_ in taken:
        assert list(list_) == sorted(set(list_))


def test_a_signature_stays_small_however_long_the_text_is() -> None:
    assert len(signature("so many different words as there are numbers " + " ".join(map(str, range(5000)))).words) == 1


@given(st.text())
def test_any_text_says_the_same_as_itself(text: str) -> None:
    assert same(text, text)


@given(st.text(), st.text())
def test_saying_the_same_has_no_direction(a: str, b: str) -> None:
    assert same(a, b) == same(b, a)


@given(st.text())
def test_a_word_is_never_empty(text: str) -> None:
    assert not text or "" not in signature(text).words


WORDS = ["user", "Ana", "3pm", "not", "dark", "Größe", "€", "don't", "1.5", "user-1", "東京", "हिन्दी", "and", "the"]
sentences = st.lists(st.sampled_from(WORDS), min_size=1)


@given(sentences, st.sampled_from([" ", "  ", "\n", ", ", " – ", "; "]), st.sampled_from([".", "!", "…", " "]))
def test_case_white_space_and_punctuation_do_not_matter(words: list[str], between: str, end: str) -> None:
    text = " ".join(words)

    assert same(text, between.join(words).upper() + end)
    assert same(text, unicodedata.normalize("NFD", between.join(words)) + end)


@given(sentences, st.data())
def test_another_order_or_another_word_is_another_fact(words: list[str], data: st.DataObject) -> None:
    said = [word for word in words if word not in ("and", "the", "don't")]
    shuffled = data.draw(st.permutations(said))

    assert same(" ".join(said), " ".join(shuffled)) == (said == shuffled)
    assert not same(" ".join(words), " ".join([*words, "tea"]))
