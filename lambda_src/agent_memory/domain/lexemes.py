"""Lexemes: the words of a text as search compares them, each as a number of 64 bits.

NFKC, case folded, accents off, in the stem of one language; words that say nothing of what is looked for are left out
where a list of them is known. Scripts without spaces between words give every two neighbouring characters, and in what
is stored each single one too, so that a query of one character finds its word. Emoji and other pictures are words.
"""

import hashlib
import importlib
import importlib.util
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from types import ModuleType
from typing import NamedTuple

from agent_memory.domain.text_match import MARKS, UNSPACED

_LANGUAGES = """
arabic armenian basque catalan czech danish dutch english esperanto estonian finnish french german greek hindi hungarian
indonesian irish italian lithuanian nepali none norwegian persian polish portuguese romanian russian serbian sesotho
spanish swedish tamil turkish yiddish
"""
LANGUAGES = frozenset(_LANGUAGES.split())
"""Whose stems are known; with `none` words are compared as they are written."""
MAX_QUERY_LEXEMES = 64
"""A query counts by its first distinct lexemes."""

_LONGEST_STEMMED = 64  # characters; what is longer is no word of a language
# Korean has spaces, but puts its particles at the end of words.
_PAIRED = rf"{UNSPACED}\uac00-\ud7a3"
_RUN = re.compile(rf"[{_PAIRED}]+|(?:[^\W{_PAIRED}_]|[{MARKS}])+|[^\w\s]")
_IS_PAIRED = re.compile(rf"[{_PAIRED}]")
_ACCENTS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]")  # of Latin, Greek, Cyrillic; of Arabic
# Pronouns, auxiliaries, articles and question words. What is left of contractions at an apostrophe is among them.
_ENGLISH = """
a an the and or but if nor so than too very not no of at by for with in into on to as such that this these those there
then i me my you your he him his she her it its we us our they them their who whom whose which what when where why how
is are was were be been being am do does did has have had can could will would shall should may might must
s t d m ll re ve don doesn didn isn aren wasn weren hasn haven hadn couldn wouldn shouldn
"""
_FILLERS: dict[str, frozenset[str]] = {"english": frozenset(_ENGLISH.split())}


class Lexeme(NamedTuple):
    """One lexeme of a piece of text, and how often it stands there."""

    number: int
    times: int


class Worded(NamedTuple):
    """A piece of text: its distinct lexemes in the order of their numbers, and how many words it has."""

    lexemes: tuple[Lexeme, ...]
    length: int


def worded(text: str, language: str) -> Worded:
    """Take the lexemes that a piece of text is stored with."""
    found: Counter[str] = Counter()
    length = 0
    for run in _runs(text):
        words = _words(run, language)
        length += len(words)
        found.update(words)
        if _IS_PAIRED.match(run) and len(run) > 1:
            found.update(run)
    return Worded(tuple(sorted(Lexeme(number_of(word), count) for word, count in found.items())), length)


def query_lexemes(text: str, language: str) -> tuple[int, ...]:
    """The distinct lexemes of a query, in its order."""
    words = dict.fromkeys(word for run in _runs(text) for word in _words(run, language))
    return tuple(number_of(word) for word in islice(words, MAX_QUERY_LEXEMES))


@lru_cache(maxsize=16_384)
def number_of(word: str) -> int:
    """A word as a signed number of 64 bits."""
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _runs(text: str) -> Iterator[str]:
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 or run.isalnum() or unicodedata.category(run) in ("So", "Mn", "Mc"):
            yield run


def _words(run: str, language: str) -> list[str]:
    if _IS_PAIRED.match(run):
        return [run[place : place + 2] for place in range(max(1, len(run) - 1))]
    return [] if run in _FILLERS.get(language, ()) else [_stemmed(run, language)]


@lru_cache(maxsize=16_384)
def _stemmed(word: str, language: str) -> str:
    if len(word) <= _LONGEST_STEMMED:
        word = _stemmer(language)(word)
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word)))
    return plain or word


@lru_cache(maxsize=2)
def _stemmer(language: str) -> Callable[[str], str]:
    if language == "none":
        return str
    module = _module_of(f"{language}_stemmer")
    stems: Callable[[str], str] = getattr(module, f"{language.capitalize()}Stemmer")().stemWord
    return stems


def _module_of(name: str) -> ModuleType:
    """One language alone: the package itself would load all of them, a tenth of a second of a cold start."""
    if "snowballstemmer" not in sys.modules:
        spec = importlib.util.find_spec("snowballstemmer")
        assert spec is not None and spec.submodule_search_locations is not None  # noqa: S101, PT018 - it is shipped
        package = ModuleType("snowballstemmer")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["snowballstemmer"] = package
    return importlib.import_module(f"snowballstemmer.{name}")
