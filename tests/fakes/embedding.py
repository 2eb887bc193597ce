"""An embedding model of words: texts are near when they share words, and rare words weigh more than common ones."""

import hashlib
import math
import random
import re
from collections.abc import Sequence
from functools import cache

from agent_memory.domain.embedding import Vector
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable

_COMMON = {"a", "an", "the", "is", "in", "of", "to", "and", "not", "at", "really", "really,", "very", "now"}
_DIMENSIONS = 128


class WordEmbedder:
    """`Embedder`, and `Embedders` of this one; counts the texts that it was given, and tells a tally when there is one.

    While it is `away` no vector is to be had. With another `turn` it is another model: no vector is near one of this.
    """

    def __init__(self, name: str = "words", tally: Tally | None = None, turn: int = 0) -> None:
        self.name = name
        self.dimensions = _DIMENSIONS
        self.calls = 0
        self.away = False
        self._tally = tally or Tally()
        self._turn = turn

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        vectors = self.attempt(texts)
        if None in vectors:
            raise StoreUnavailable("the embedding model did not answer", 2)
        return [vector for vector in vectors if vector is not None]

    def attempt(self, texts: Sequence[str]) -> list[Vector | None]:
        self._tally.need("embeddings", len(texts))
        self._tally.embeddings += len(texts)
        self.calls += len(texts)
        return [None if self.away else _turned(word_vector(text), self._turn) for text in texts]

    def served(self) -> "WordEmbedder":
        return self

    def written(self) -> "tuple[WordEmbedder, ...]":
        return (self,)


def _turned(vector: Vector, turn: int) -> Vector:
    """Every cosine is kept within one turn."""
    return vector[turn:] + vector[:turn]


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
