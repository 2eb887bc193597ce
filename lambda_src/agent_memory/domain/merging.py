"""Whether two texts that a model finds almost equal may become one.

Models are nearly blind to what matters most in a fact. Cosines of all-MiniLM-L6-v2: 0.96 for `before lunch` and `after
lunch`, 0.96 for `is married` and `was married`, 0.99 for `the dog bit the cat` and `the cat bit the dog`; 0.95 and more
for another noun, as soon as the text has some forty words. So every word is a mark but a few that may come and go, and
so is the order of words. When in doubt texts differ: that costs a row, while a wrong merge takes a fact out of search.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

MERGE_ABOVE = 0.95
"""Cosine over which texts of one owner are near duplicates."""

_MOST_MARKED = 24  # words; in a longer text the hash of their order stands for all, since stores compare one by one

# What may come and go without changing a fact. Of two words that are each other's opposite at most one may stand here:
# `and` but not `or`, `is` but neither `was` nor `has`.
_SOFT_WORDS = """
a an the is are am be it its that there of and as also please quite really very
like likes love loves enjoy enjoys prefer prefers
"""
_SOFT = frozenset(_SOFT_WORDS.split())

# Letters, marks and digits of any script; `_plain` has turned all other characters beyond ASCII into spaces.
_L = r"[A-Za-z0-9\x80-\U0010ffff]"
# A word, a number or an identifier such as user-1, 1.5, 2026-11-20, a_b or a@b.c; else a sign. `re` compiles it at its
# first use: that takes a while, and a search needs none of it.
_TOKEN = rf"(?<!{_L})\.(?=\d){_L}+|{_L}+(?:[-'._,@/:\\]{_L}+)*|[$%+<>=~#?|&*^]|(?<!{_L})-(?={_L})|(?<={_L})-"
_IDENTIFIER = re.compile(r"[\d._@/:\\]")
_DASHES = re.compile("[\u2010-\u2013\u2212]")
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc]")

_BARE_NEGATION = re.compile(r"(?:do|does|did|is|are|was|were|has|have|had|could|should|would)nt")
_NEGATIONS = {"cannot": "can", "can't": "can", "cant": "can", "won't": "will", "wont": "will", "shan't": "shall"}
_ENDINGS = {"s": "", "m": "", "re": "", "ve": "have", "ll": "will", "d": "would"}


class Signature(NamedTuple):
    """What a text must find in another to be merged with it, and what it has for the other; sorted and distinct."""

    marks: tuple[str, ...]
    words: tuple[str, ...]


def says_the_same(a: Signature, b: Signature) -> bool:
    """Whether each text has all that must not be lost of the other."""
    return set(a.marks) <= set(b.words) and set(b.marks) <= set(a.words)


def signature(text: str) -> Signature:
    """Take a text's words, in one case and without punctuation, those of them that are marks, and the order of these.

    Numbers, identifiers, and signs such as €, +, ? and 👍 are words like any other.
    """
    words = list(_words(_plain(text)))
    marks = [word for word in words if word not in _SOFT] or words or [text]
    order = hashlib.sha256(" ".join(marks).encode("utf-8", "surrogatepass")).hexdigest()
    if len(marks) > _MOST_MARKED:
        return Signature((order,), (order,))
    return Signature(_sorted([*marks, order]), _sorted([*words, *marks, order]))


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _plain(text: str) -> str:
    """Leave ASCII and what is part of words or a sign."""
    text = unicodedata.normalize("NFKC", text)
    if text.isascii():
        return text
    text = _DASHES.sub("-", _APOSTROPHES.sub("'", text))
    return "".join(character if character.isascii() else _kept(character) for character in text)


@lru_cache(maxsize=4096)
def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Sc", "Sm", "So"):
        return f" {character} "
    if category == "Cf":  # joiners and soft hyphens are no part of a word
        return ""
    return character if category[0] in "LMN" else " "


def _words(text: str) -> Iterator[str]:
    for token in re.findall(_TOKEN, text):
        for part in _parts(token):
            yield from _spoken_out(unicodedata.normalize("NFKC", part.casefold()))


def _parts(token: str) -> list[str]:
    """Words that a hyphen or a comma joins are words by themselves; an identifier and a sign are whole."""
    whole = token.removesuffix("'s").removesuffix("'S")
    if len(token) == 1 or _IDENTIFIER.search(whole):
        return [whole]
    return re.split("[-,]", token)


def _spoken_out(word: str) -> list[str]:
    """The words that a contraction stands for."""
    if word in _NEGATIONS:
        return [_NEGATIONS[word], "not"]
    if word.endswith("n't") or _BARE_NEGATION.fullmatch(word):
        parts = [word.replace("'", "")[:-2], "not"]
    else:
        *parts, ending = word.split("'")
        parts.append(_ENDINGS.get(ending, ending) if parts else ending)
    return [part for part in parts if part]
