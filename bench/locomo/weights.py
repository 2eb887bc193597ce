"""Weights for each conversation chosen on the others alone, so that no question is asked of what was fitted to it.

The parts of every score come over HTTP (`explain`); they are fused anew in Python by the rule that search follows.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, product

from agent_memory.domain.fusion import HALF_LIFE_DAYS, SHORTLISTED, WEIGHTS, Candidate, Weights, rank
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
    """One question's candidates, ranked by any weights: all that any mode found deeply."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._agent = answers.agent
        self._shares: dict[Weights, float] = {}
        told = answers.parts
        self._cosines = {one: parts["cosine"] for mode in ("hybrid", "vector") for one, parts in told[mode].items()}
        self._words = {one: parts["lexical"] for mode in ("hybrid", "lexical") for one, parts in told[mode].items()}

    @property
    def category(self) -> int:
        """The question's."""
        return self._answers.question.category

    def repeats_search(self) -> bool:
        """Whether the shipped weights give what the API gave, in its order.

        What one side alone found deeply counts as nothing to the other. Where that makes a difference it is asked for.
        """
        if self.ranked(WEIGHTS) != self._answers.found:
            self._complete()
        return self.ranked(WEIGHTS) == self._answers.found

    def share(self, weights: Weights) -> float:
        """The part of the evidence that is among the ten best."""
        if weights not in self._shares:
            turns = [self._agent.remembered[one] for one in self.ranked(weights)]
            self._shares[weights] = share(turns, self._answers.question.evidence)
        return self._shares[weights]

    def ranked(self, weights: Weights) -> list[str]:
        """The ids of the ten best."""
        candidates = (
            Candidate(one, self._cosines.get(one), self._words.get(one) or 0.0, turn.at)
            for one, turn in self._agent.remembered.items()
            if one in self._cosines or one in self._words
        )
        at = self._agent.conversation.ends_at
        return [each.id for each in rank(candidates, self._sessions, at, HALF_LIFE_DAYS, TOP, weights)]

    def _complete(self) -> None:
        """Ask for all parts of those who may be on a shortlist, and of the neighbours of the best."""
        deep = TOP + SHORTLISTED
        listed = {one for mode in ("vector", "lexical") for one in list(self._answers.parts[mode])[:deep]}
        ids = list(self._agent.remembered)
        places = map(ids.index, {*self._answers.found, *self.ranked(WEIGHTS)})
        around = {one for place in places for one in ids[max(0, place - 2) : place + 3]}
        for one in listed | around:
            if self._cosines.get(one) is None or one not in self._words:
                parts = self._agent.parts(self._answers.question, one)
                self._cosines[one], self._words[one] = parts["cosine"], parts["lexical"]

    @property
    def _sessions(self) -> list[list[str]]:
        remembered = self._agent.remembered.items()
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
