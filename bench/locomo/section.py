"""The section of the report: what is found for every question, beside what the usual ways find in the same run."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.locomo import lines
from bench.locomo.agent import Agent
from bench.locomo.asking import Answers, ask
from bench.locomo.data import load, place
from bench.locomo.metrics import Recall
from bench.locomo.weights import Fusing, left_out
from bench.report import Line
from local.api import Api
from local.console import clear_status, status
from local.stack import Stack

_AT_ONCE = 2


def measure(stack: Stack) -> list[Line]:
    """Remember all conversations, ask everything, leave nothing behind; without the data set, say where it was not."""
    path = place()
    if not path.exists():
        return [Line("left out: the data set is not here", "not measured", f"looked for {path}", None)]
    api = Api(stack.api_url, stack.api_key)
    agents = [Agent(api, conversation) for conversation in load(path)]
    try:
        return _measured(agents)
    finally:
        for agent in agents:
            agent.forget()
        clear_status()


def _measured(agents: Sequence[Agent]) -> list[Line]:
    started = time.monotonic()
    _remember(agents)
    remembered = time.monotonic()
    told = [list(_asked(agent, place, len(agents))) for place, agent in enumerate(agents, start=1)]
    asked = time.monotonic()
    recalls = {way: _recall(way, told) for way in lines.WAYS}
    return [
        _took("turns remembered", sum(len(agent.remembered) for agent in agents), remembered - started),
        _took("questions asked, each in nine ways", sum(map(len, told)), asked - remembered),
        *lines.shipped(recalls),
        *_weighed(told, recalls["vector"]),
    ]


def _remember(agents: Sequence[Agent]) -> None:
    status("  LoCoMo: remembering")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(Agent.remember, agents), start=1):
            status(f"  LoCoMo: {done} of {len(agents)} conversations remembered")


def _asked(agent: Agent, place: int, of: int) -> Iterator[Answers]:
    questions = len(agent.conversation.questions)
    for done, answers in enumerate(ask(agent), start=1):
        status(f"  LoCoMo: conversation {place} of {of}, {done} of {questions} questions")
        yield answers


def _weighed(told: Sequence[Sequence[Answers]], vector: Recall) -> list[Line]:
    status("  LoCoMo: weighing")
    conversations = [list(map(Fusing, answers)) for answers in told]
    repeated = [each.repeats_search() for conversation in conversations for each in conversation]
    recall, chosen = left_out(conversations)
    return [lines.repeated(sum(repeated), len(repeated)), *lines.left_out(recall, vector), *lines.chosen(chosen)]


def _recall(way: str, told: Sequence[Sequence[Answers]]) -> Recall:
    recall = Recall()
    for answers in (each for conversation in told for each in conversation):
        recall.add(answers.question.category, answers.measured[way])
    return recall


def _took(what: str, count: int, seconds: float) -> Line:
    return Line(what, f"{count:,} in {seconds:.0f} s", "", None)
