"""Weights for each conversation chosen on the others alone, so that no question is asked of what was fitted to it.

The parts of every score come over HTTP (`explain`); they are fused anew in Python by the rule that search follows.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import groupby, product

from agent_memory.domain.fusion import HALF_LIFE_DAYS, WEIGHTS, Candidate, Weights, rank
from bench.locomo.asking import Answers
from bench.locomo.data import ANSWERABLE
from bench.locomo.metrics import Recall, in_top, share

TOP = 10
_LENT = ((0.0, 0.0), (0.3, 0.2), (0.6, 0.4), (0.8, 0.6))
GRID = tuple(
    replace(WEIGHTS, meaning=meaning, lent=lent, aged=aged)
    for meaning, lent, aged in product((0.4, 0.5, 0.6), _LENT, (0.0, 0.3))
)


class Fusing:
    """One question's candidates, ranked by any weights."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._shares: dict[Weights, float] = {}

    @property
    def category(self) -> int:
        """The question's."""
        return self._answers.question.category

    @property
    def repeats_search(self) -> bool:
        """Whether the shipped weights give what the API gave, in its order."""
        return self.ranked(WEIGHTS) == self._answers.found

    def share(self, weights: Weights) -> float:
        """The part of the evidence that is among the ten best."""
        if weights not in self._shares:
            remembered = self._answers.agent.remembered
            turns = [remembered[one] for one in self.ranked(weights)]
            self._shares[weights] = share(turns, self._answers.question.evidence)
        return self._shares[weights]

    def ranked(self, weights: Weights) -> list[str]:
        """The ids of the ten best."""
        agent = self._answers.agent
        at = agent.conversation.ends_at
        ranked = rank(self._candidates, self._sessions, at, HALF_LIFE_DAYS, TOP, weights)
        return [each.id for each in ranked]

    @cached_property
    def _candidates(self) -> list[Candidate]:
        """All that any mode found deeply; what only one side knows of is far from the ten best."""
        told = self._answers.explained
        cosines = {each["id"]: each["parts"]["cosine"] for mode in ("hybrid", "vector") for each in told[mode]}
        words = {each["id"]: each["parts"]["lexical"] for mode in ("hybrid", "lexical") for each in told[mode]}
        return [
            Candidate(one, cosines.get(one), words.get(one, 0.0), turn.at)
            for one, turn in self._answers.agent.remembered.items()
            if one in cosines or one in words
        ]

    @property
    def _sessions(self) -> list[list[str]]:
        remembered = self._answers.agent.remembered.items()
        return [[one for one, _ in turns] for _, turns in groupby(remembered, lambda each: each[1].session)]


def left_out(conversations: Sequence[Sequence[Fusing]]) -> tuple[Recall, list[Weights]]:
    """Recall of each conversation by the weights that are the best on all others; and these."""
    recall, chosen = Recall(), []
    for place, conversation in enumerate(conversations):
        best = _best([each for other in (*conversations[:place], *conversations[place + 1 :]) for each in other])
        chosen.append(best)
        for asked in conversation:
            recall.add(asked.category, {in_top(TOP): asked.share(best)})
    return recall, chosen


def _best(questions: Sequence[Fusing]) -> Weights:
    answerable = [each for each in questions if each.category in ANSWERABLE]
    return max(GRID, key=lambda weights: sum(each.share(weights) for each in answerable))
