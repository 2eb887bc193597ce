"""How a search ranks what it found: by meaning, by words, by its neighbours, by age. Pure; SQL does the same for speed.

    base  = MEANING x cosine (0 when negative or unknown) + (1 - MEANING) x lexical
    score = (base + the most that a neighbour lends) x recency x trust + what being pinned adds

`lexical` is BM25 over the weight of all lexemes of the query, so that 1 means that a memory of average length holds
each of them once. Both are absolute: a score does not depend on what else was found. A neighbour is one of the two
memories before or after in the session; it lends a part of its base. Figures and why: ADR 19.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

HALF_LIFE_DAYS = 365.0
"""After which a memory has lost half of what age can take; unless a search says otherwise."""
TRUST = {"direct_user": 1.0, "inference": 0.95, "tool_internal": 0.9, "tool_external": 0.85}
"""What the words of each kind of source count, the most trusted first."""

SHORTLISTED = 10
"""How many more than are asked for are looked at by either side."""

_DIGITS = 9  # of a score: sums of floating point numbers come out differently in another order
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Weights:
    """What was found to be good over conversations that it was not chosen on."""

    meaning: float = 0.5
    lent: tuple[float, ...] = (0.6, 0.4)
    aged: float = 0.3
    pinned: float = 0.1
    k1: float = 1.2
    b: float = 0.4
    average_length: float = 24.0


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that a search looks at; `lexical` as `lexical_score` gives it, `cosine` None without a vector."""

    id: str
    cosine: float | None
    lexical: float
    occurred_at: datetime
    trust: str = "direct_user"
    pinned: bool = False


class Ranked(NamedTuple):
    """A memory in its place, with the parts of its score."""

    id: str
    score: float
    cosine: float | None
    lexical: float
    base: float
    lent: float
    recency: float
    trust: float
    pinned: float


def idf(texts: int, holders: int) -> float:
    """How much a lexeme tells that `holders` of all `texts` have."""
    return math.log(1 + (max(texts, holders) - holders + 0.5) / (holders + 0.5))


def lexical_score(
    counts: Mapping[int, int], length: int, query: Mapping[int, float], weights: Weights = WEIGHTS
) -> float:
    """BM25 of a piece of text for the lexemes of a query with their idf, over the sum of these."""
    total = math.fsum(query.values())
    if not total:
        return 0.0
    norm = weights.k1 * (1 - weights.b + weights.b * length / weights.average_length)
    gained = (
        weight * counts[lexeme] * (weights.k1 + 1) / (counts[lexeme] + norm)
        for lexeme, weight in query.items()
        if counts.get(lexeme)
    )
    return math.fsum(gained) / total


def recency(age: timedelta, half_life_days: float | None, weights: Weights = WEIGHTS) -> float:
    """What is left of a memory's score at an age; what has not occurred yet is new."""
    if half_life_days is None:
        return 1.0
    halves = max(age / _DAY, 0.0) / half_life_days
    return float(1 - weights.aged * (1 - 0.5**halves))


def rank(
    candidates: Iterable[Candidate],
    sessions: Iterable[Sequence[str]],
    at: datetime,
    half_life_days: float | None,
    top_k: int,
    weights: Weights = WEIGHTS,
) -> list[Ranked]:
    """Find the best of all that is as asked, of equal ones the one that was stored last.

    Looked at are the shortlists of either side and the neighbours of the best of these. `sessions` are the ids of each
    session's memories, in order.
    """
    every = {candidate.id: candidate for candidate in candidates}
    bases = {each.id: _base(each, weights) for each in every.values()}
    listed = _shortlist(every.values(), top_k + SHORTLISTED)
    beside = _beside(sessions, len(weights.lent))
    best = _first(top_k, listed, bases.__getitem__)
    shown = listed | {memory for one in best for memory, _ in beside.get(one, ()) if memory in every}
    ranked = []
    for one in shown:
        near = ((other, distance) for other, distance in beside.get(one, ()) if other in shown)
        lent = max((bases[other] * weights.lent[distance - 1] for other, distance in near), default=0.0)
        ranked.append(_ranked(every[one], bases[one], lent, at, half_life_days, weights))
    # As age has it among texts that are stored when they occur, so that rounding changes no order of theirs.
    return sorted(ranked, key=lambda each: (each.score, each.id), reverse=True)[:top_k]


def _ranked(
    one: Candidate, base: float, lent: float, at: datetime, half_life_days: float | None, weights: Weights
) -> Ranked:
    aged = 1.0 if one.pinned else recency(at - one.occurred_at, half_life_days, weights)
    pinned = weights.pinned if one.pinned else 0.0
    score = round((base + lent) * aged * TRUST[one.trust] + pinned, _DIGITS)
    return Ranked(one.id, score, one.cosine, one.lexical, base, lent, aged, TRUST[one.trust], pinned)


def _base(candidate: Candidate, weights: Weights) -> float:
    return weights.meaning * max(candidate.cosine or 0.0, 0.0) + (1 - weights.meaning) * candidate.lexical


def _shortlist(candidates: Iterable[Candidate], most: int) -> set[str]:
    near = {each.id: each.cosine for each in candidates if each.cosine is not None}
    worded = {each.id: each.lexical for each in candidates if each.lexical}
    return {*_first(most, near, near.__getitem__), *_first(most, worded, worded.__getitem__)}


def _first(most: int, ids: Iterable[str], value: Callable[[str], float]) -> list[str]:
    return sorted(ids, key=lambda one: (value(one), one), reverse=True)[:most]


def _beside(sessions: Iterable[Sequence[str]], reach: int) -> dict[str, list[tuple[str, int]]]:
    """For each memory those of its session up to `reach` places away, with their distance."""
    return {
        one: [
            (other, abs(place - elsewhere))
            for elsewhere, other in enumerate(session[max(0, place - reach) : place + reach + 1], max(0, place - reach))
            if elsewhere != place
        ]
        for session in sessions
        for place, one in enumerate(session)
    }
