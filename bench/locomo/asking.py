"""Every question of a conversation asked in every way."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.locomo.agent import Agent
from bench.locomo.data import Question
from bench.locomo.metrics import BUDGETS, CUTS, Measured, in_tokens, in_top, share, shares

Parts = Mapping[str, Mapping[str, float | None]]

_AT_ONCE = 4
_DEEP = 100  # as many as a search gives: more than two thousand tokens have room for


@dataclass(frozen=True)
class Answers:
    """What one question was answered, each way measured; and what search says of its scores.

    `parts` are those of the scores of the deepest answers of each mode, by id; `found` are the ids of the ten best.
    """

    agent: Agent
    question: Question
    measured: dict[str, Measured]
    parts: dict[str, Parts]
    found: list[str]


def ask(agent: Agent) -> Iterator[Answers]:
    """Ask all questions of a remembered conversation, a few at once, in order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda question: _answers(agent, question), agent.conversation.questions)


def _answers(agent: Agent, question: Question) -> Answers:
    explained = {mode: agent.search(question, mode, _DEEP, explain=True) for mode in ("hybrid", "vector", "lexical")}
    best = {cut: agent.search(question, "hybrid", cut) for cut in CUTS}
    ours = {in_top(cut): agent.turns(results) for cut, results in best.items()}
    ours |= {in_tokens(budget): agent.block(question, budget) for budget in BUDGETS}
    measured: dict[str, Measured] = {"ours": {name: share(turns, question.evidence) for name, turns in ours.items()}}
    measured |= {mode: shares(question, agent.turns(explained[mode])) for mode in ("vector", "lexical")}
    measured["last"] = shares(question, agent.conversation.turns[::-1])
    parts: dict[str, Parts] = {mode: {each["id"]: each["parts"] for each in told} for mode, told in explained.items()}
    return Answers(agent, question, measured, parts, [each["id"] for each in best[10]])
