"""Whether a text holds the words of a query: whole words, in any case, in any script."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

# Scripts that put no spaces between words: any two neighbours are taken for a word.
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
# Python's \w leaves out combining marks, without which words of Hindi or Tamil fall to pieces.
MARKS = "".join(chr(each) for each in range(0x300, 0x1B00) if unicodedata.category(chr(each)).startswith("M"))
_RUN = re.compile(rf"[{UNSPACED}]+|(?:[^\W{UNSPACED}_]|[{MARKS}])+")
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
# Words that say nothing of what is looked for. A query of nothing else is taken at its word.
_FILLERS = frozenset(
    _RUN.findall(
        "a about am an and are as at be been but by can could did do does for from had has have he her him his how "
        "i if in is it its me my of on or our she so than that the their them then there they this to us was we "
        "were what when where which who whom why will with would you your"
    )
)
LEAST = 0.5
"""A text that holds a smaller part of the words does not match."""


def query_words(query: str) -> frozenset[str]:
    """The distinct words to look for."""
    words = frozenset(_words(query))
    return words - _FILLERS or words


def part_found(wanted: frozenset[str], content: Any) -> float:
    """How many of the words some text of the JSON holds, from 0 to 1."""
    if not wanted:
        return 0.0
    left = set(wanted)
    for text in _texts(content):
        left.difference_update(_words(text))
        if not left:
            break
    return 1 - len(left) / len(wanted)


def _words(text: str) -> Iterator[str]:
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _IS_UNSPACED.match(run) and len(run) > 1:
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        else:
            yield run


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
