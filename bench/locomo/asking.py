"""Every question of a conversation asked in every way."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.locomo.agent import Agent, Results
from bench.locomo.data import Question
from bench.locomo.metrics import BUDGETS, CUTS, Measured, in_tokens, in_top, share, shares

_AT_ONCE = 4
_DEEP = 100  # as many as a search gives: more than two thousand tokens have room for


@dataclass(frozen=True)
class Answers:
    """What one question was answered, each way measured; and what search says of its scores.

    `explained` are the deepest answers of each mode with the parts of their scores, `found` the ids of the ten best.
    """

    agent: Agent
    question: Question
    measured: dict[str, Measured]
    explained: dict[str, Results]
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
    return Answers(agent, question, measured, explained, [result["id"] for result in best[10]])
