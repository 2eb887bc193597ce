"""Which texts hold the words of a query."""

from typing import Any

import pytest

from agent_memory.domain.json_document import parse
from agent_memory.domain.text_match import part_found, query_words

EQUAL = [
    ("pricing", "What about PRICING?"),
    ("Straße", "STRASSE 7"),
    ("ﬁnance", "the finance team"),
    ("café", "cafe\u0301 au lait"),
    ("हिन्दी भाषा", "यह हिन्दी भाषा है।"),
    ("مرحبا", "قال: مرحبا!"),
    ("東京", "明日は東京へ行く"),
    ("ｶﾀｶﾅ", "カタカナです"),
    ("ภาษาไทย", "เรียนภาษาไทยทุกวัน"),
    ("order 4711", "order #4711 was shipped"),
    ("snake_case", "in snake and case"),
]
APART = [
    ("art", "a party started"),
    ("4711", "order 47110"),
    ("हिन्दी", "हिन्द"),
    ("東京", "京東"),
]


@pytest.mark.parametrize(("query", "text"), EQUAL)
def test_whole_words_are_found_in_any_case_and_script(query: str, text: str) -> None:
    assert part_found(query_words(query), text) == 1


@pytest.mark.parametrize(("query", "text"), APART)
def test_parts_of_words_are_not_words(query: str, text: str) -> None:
    assert part_found(query_words(query), text) == 0


def test_words_that_say_nothing_do_not_count_unless_there_are_no_others() -> None:
    assert query_words("What did we say about the pricing of it?") == {"say", "pricing"}
    assert query_words("Who are you?") == {"who", "are", "you"}


def test_each_word_counts_once_and_a_part_of_them_is_a_fraction() -> None:
    words = query_words("red red green blue yellow")

    assert part_found(words, "green and blue") == 0.5
    assert part_found(words, "red, red and red") == 0.25


@pytest.mark.parametrize(
    "content",
    [
        '{"role":"user","text":"red green"}',
        '["red",{"deep":[["green"]]}]',
        '{"red":"blue","a":"red","b":{"c":"green"}}',
    ],
)
def test_every_text_of_the_content_is_searched(content: str) -> None:
    assert part_found(query_words("red green"), parse(content)) == 1


@pytest.mark.parametrize("content", [None, 1, True, {}, [], {"red": 1, "green": None}, "", "…"])
def test_names_and_numbers_are_no_text(content: Any) -> None:
    assert part_found(query_words("red green"), content) == 0


@pytest.mark.parametrize("query", ["", "?!", "…", "_"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    assert part_found(query_words(query), "anything") == 0
