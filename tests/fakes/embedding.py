"""An embedding model of words: texts are near when they share words, and rare words weigh more than common ones."""

import hashlib
import math
import random
import re
from collections.abc import Sequence
from functools import cache

from agent_memory.domain.embedding import Vector
from agent_memory.domain.usage import Tally

_COMMON = {"a", "an", "the", "is", "in", "of", "to", "and", "not", "at", "really", "really,", "very", "now"}
_DIMENSIONS = 128


class WordEmbedder:
    """`Embedder`; counts the texts that it was given, and tells a tally when there is one."""

    def __init__(self, name: str = "words", tally: Tally | None = None) -> None:
        self.name = name
        self.dimensions = _DIMENSIONS
        self.calls = 0
        self._tally = tally or Tally()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self._tally.need("embeddings", len(texts))
        self._tally.embeddings += len(texts)
        self.calls += len(texts)
        return [word_vector(text) for text in texts]


def word_vector(text: str) -> Vector:
    """Of unit length."""
    total = [0.0] * _DIMENSIONS
    for word in re.findall(r"\w+|[^\w\s]", text.casefold()):
        weight = 0.1 if word in _COMMON or not word.isalnum() else 1.0
        for place, number in enumerate(_direction(word)):
            total[place] += weight * number
    length = math.hypot(*total)
    return tuple(number / length for number in total)


@cache
def _direction(word: str) -> Vector:
    seeded = random.Random(hashlib.sha256(word.encode()).digest())  # noqa: S311 - the same direction in each run
    numbers = [seeded.gauss(0, 1) for _ in range(_DIMENSIONS)]
    length = math.hypot(*numbers)
    return tuple(number / length for number in numbers)
