"""How well a message calls for a procedure: the rule, which `memory.match_procedures` follows in SQL.

A trigger is short, a message may be long, so the words count by how much of the trigger the message holds. Meaning
finds what is said in other words. Both lie between 0 and 1, and so does their sum; a message that repeats a trigger
has 1.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

MEANING = 0.6
WORDS = 0.4


class Score(NamedTuple):
    """The fused score of a phrase, and its parts."""

    score: float
    similarity: float | None
    overlap: float


def overlap(phrase: Collection[int], message: Collection[int]) -> float:
    """How much of the phrase's words the message has."""
    return len(set(phrase) & set(message)) / len(set(phrase)) if phrase else 0.0


def fused(similarity: float | None, words: float) -> Score:
    """Cosines below 0 say no more than 0 does, and no vector says nothing."""
    return Score(MEANING * max(similarity or 0.0, 0.0) + WORDS * words, similarity, words)


def best(scores: Iterable[Score]) -> tuple[int, Score]:
    """The best phrase: its place and its score; of equal ones the first."""
    placed = list(enumerate(scores))
    return max(placed, key=lambda each: (each[1].score, -each[0]))
