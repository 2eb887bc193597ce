"""Evidence recall, and what a list of turns gives within so many tokens."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent_memory.domain.chunking import estimate_tokens
from bench.locomo.data import ANSWERABLE, Question, Turn

CUTS = (5, 10, 20)
BUDGETS = (500, 1000, 2000)

Measured = Mapping[str, float]
"""A share of the evidence by the name of the measure."""


def in_top(cut: int) -> str:
    """The name of a measure: among so many of the best."""
    return f"@{cut}"


def in_tokens(budget: int) -> str:
    """The name of a measure: among what has room in so many tokens."""
    return f" in {budget} tokens"


MEASURES = (*map(in_top, CUTS), *map(in_tokens, BUDGETS))


def share(found: Iterable[Turn], evidence: frozenset[str]) -> float:
    """The part of a question's evidence that is among the turns found."""
    return len(evidence & {turn.id for turn in found}) / len(evidence)


def within(ranked: Iterable[Turn], budget: int) -> Iterator[Turn]:
    """Turns, the best first, up to the last one that a budget has room for, each a line of its own."""
    left = budget
    for turn in ranked:
        left -= estimate_tokens(f"{turn.content}\n")
        if left < 0:
            return
        yield turn


def shares(question: Question, ranked: Sequence[Turn]) -> Measured:
    """Each measure of a ranking."""
    best = {in_top(cut): ranked[:cut] for cut in CUTS}
    filled = {in_tokens(budget): list(within(ranked, budget)) for budget in BUDGETS}
    return {name: share(turns, question.evidence) for name, turns in (best | filled).items()}


class Recall:
    """Recall by category and measure of one way to find turns."""

    def __init__(self) -> None:
        self._shares: defaultdict[tuple[int, str], list[float]] = defaultdict(list)

    def add(self, category: int, measured: Measured) -> None:
        """Count one question."""
        for measure, value in measured.items():
            self._shares[category, measure].append(value)

    def mean(self, measure: str, categories: Sequence[int] = ANSWERABLE) -> float:
        """The mean over all questions of some categories, each question as much as another; 0 when there are none."""
        values = [value for category in categories for value in self._shares.get((category, measure), ())]
        return sum(values) / len(values) if values else 0.0
