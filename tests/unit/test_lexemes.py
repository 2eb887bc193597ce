"""Lexemes: the words of a text as search compares them."""

import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.lexemes import LANGUAGES, MAX_QUERY_LEXEMES, number_of, query_lexemes, worded


def found(text: str, query: str, language: str = "english") -> bool:
    """Whether a text holds every word of a query."""
    wanted = query_lexemes(query, language)
    return bool(wanted) and set(wanted) <= {lexeme.number for lexeme in worded(text, language).lexemes}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("She was running to the stations", "run station"),
        ("Ana's pricing", "ANA price"),
        ("Ana’s pricing", "ana"),
        ("ｆｕｌｌ width ﬁne", "full fine"),
        ("naïve café", "cafe"),
        ("on 2026-11-24 at 1.5", "2026 11"),
        ("that was 👍🏽 great", "👍"),
        ("我喜欢喝绿茶", "绿茶"),
        ("我喜欢喝绿茶", "茶"),
        ("東京タワーに行った", "タワー"),
        ("ﾀﾜｰ", "タワー"),
        ("커피를 좋아해요", "커피"),
        ("ผมชอบกาแฟ", "กาแฟ"),
        ("مَرْحَبًا", "مرحبا"),
        ("हिन्दी में लिखा", "हिन्दी"),
    ],
)
def test_a_word_is_found_in_its_forms_and_scripts(text: str, query: str) -> None:
    assert found(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("das Haus der Frauen", "häuser"),
        ("it is what it is", "what is it"),
        ("tea", "coffee"),
        ("我喜欢", "欢我"),
        ("user_key", "userkey"),
    ],
)
def test_what_is_another_word_is_not_found(text: str, query: str) -> None:
    assert not found(text, query)


def test_each_language_stems_in_its_own_way() -> None:
    assert found("die Häuser", "haus", "german")
    assert found("les chevaux mangeaient", "mangerions", "french")
    assert found("runs", "runs", "none")
    assert not found("runs", "run", "none")
    for language in LANGUAGES:
        assert worded("Memory 記憶 память ذاكرة", language).lexemes


def test_lengths_count_words_and_counts_their_places() -> None:
    said = worded("tea, more tea and the best cake", "english")

    assert said.length == 5
    assert dict(said.lexemes)[number_of("tea")] == 2
    assert worded("绿茶", "english").length == 1
    assert worded(" ...!? ", "english") == ((), 0)


@given(st.text())
def test_the_same_text_gives_the_same_lexemes_however_it_is_encoded(text: str) -> None:
    said = worded(text, "english")

    assert worded(unicodedata.normalize("NFKC", text), "english") == said
    assert list(said.lexemes) == sorted(set(said.lexemes))
    assert all(-(2**63) <= lexeme.number < 2**63 and lexeme.times > 0 for lexeme in said.lexemes)
    assert set(query_lexemes(text, "english")) <= {lexeme.number for lexeme in said.lexemes}


def test_another_process_gives_the_same_numbers() -> None:
    code = "from agent_memory.domain.lexemes import query_lexemes; print(query_lexemes('Prices 茶 👍', 'english'))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "lambda_src", "PYTHONHASHSEED": "7"},
    )

    assert told.stdout.strip() == str(query_lexemes("Prices 茶 👍", "english"))


def test_different_words_have_different_numbers() -> None:
    words = [f"{letter}{number}" for letter in "abcdefghij" for number in range(10_000)]

    assert len({number_of(word) for word in words}) == len(words)


def test_a_query_counts_by_its_first_words_however_long_it_is() -> None:
    words = [f"word{number}" for number in range(10_000)]

    assert query_lexemes(" ".join(words), "english") == query_lexemes(" ".join(words[:MAX_QUERY_LEXEMES]), "english")


def test_a_hostile_text_takes_time_in_proportion_to_its_length() -> None:
    started = time.process_time()
    for text in ("a" * 1_000_000, "é" * 300_000, "茶" * 300_000, "a'" * 300_000, "́" * 300_000, "👍" * 200_000):
        worded(text, "english")

    assert time.process_time() - started < 20


def test_only_the_language_in_use_is_loaded() -> None:
    code = (
        "import sys; from agent_memory.domain.lexemes import worded; worded('words', 'english');"
        "print([each for each in sys.modules if each.endswith('_stemmer')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "lambda_src"}
    )

    assert told.stdout.strip() == "['snowballstemmer.english_stemmer']"


def test_terraform_takes_the_languages_that_are_known() -> None:
    variables = Path("terraform/modules/agent-memory/variables.tf").read_text()
    listed = variables.partition('variable "search"')[2].partition("contains([")[2].partition("]")[0]

    assert set(re.findall(r'"(\w+)"', listed)) == LANGUAGES
