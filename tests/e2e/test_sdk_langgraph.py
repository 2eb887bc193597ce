"""LangGraph's graphs, kept by the published SDK's own checkpoint saver as it is.

Some limits are the saver's, whoever serves it, and the tests keep to them:

- Runs are saved when they end or stop (`durability="exit"`). After each step it would send the step's results and the
  next checkpoint as if neither raised the version, and whichever comes second is a conflict.
- It sends states as they are, so a state is JSON: no message objects, and no `interrupt()`, which makes an object.
- It keeps the latest checkpoint alone, and lists with a `limit` only.
- Each synchronous call runs in an event loop of its own, for which `ClientPerCall` is made.
"""

import asyncio
import operator
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Protocol, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from mnemora import MnemoraConflictError  # type: ignore[import-untyped]
from mnemora.integrations.langgraph import MnemoraCheckpointSaver  # type: ignore[import-untyped]

from local import process
from local.process import Process
from local.stack import Stack
from local.state import State
from tests.e2e.sdk import ClientPerCall, client_of


class Notes(TypedDict):
    """What a graph of the tests knows: each step adds its name."""

    lines: Annotated[list[str], operator.add]
    facts: dict[str, Any]


class Step(Protocol):
    """One step of a graph."""

    def __call__(self, state: Notes) -> dict[str, Any]: ...


Graph = CompiledStateGraph[Notes, None, Notes, Notes]
FACTS: dict[str, Any] = {"list": [1, 2.5, None, True], "text": "🦊", "nested": {"empty": {}}}


def adding(name: str) -> Step:
    def step(state: Notes) -> dict[str, Any]:
        return {"lines": [name]}

    return step


def failing(state: Notes) -> dict[str, Any]:
    raise ArithmeticError("a step that fails")


def graph(client: Any, publish: Step | None = None, pause_before: str | None = None) -> Graph:
    builder = StateGraph(Notes)
    builder.add_node("draft", adding("draft"))
    builder.add_node("check", adding("check"))
    builder.add_node("publish", publish or adding("publish"))
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "check")
    builder.add_edge("check", "publish")
    builder.add_edge("publish", END)
    pauses = [pause_before] if pause_before else None
    return builder.compile(checkpointer=MnemoraCheckpointSaver(client), interrupt_before=pauses)


async def run_async(stack: Stack, config: RunnableConfig, given: Any, **options: Any) -> Any:
    async with client_of(stack) as client:
        return await graph(client, **options).ainvoke(given, config, durability="exit")


def run(stack: Stack, config: RunnableConfig, given: Any, **options: Any) -> Any:
    """One run as a program of its own would make it: with a client, a saver and a graph that know nothing yet."""
    return asyncio.run(run_async(stack, config, given, **options))


def run_sync(stack: Stack, config: RunnableConfig, given: Any) -> Any:
    return graph(ClientPerCall(stack)).invoke(given, config, durability="exit")


@pytest.fixture
def config() -> RunnableConfig:
    return {"configurable": {"thread_id": f"thread-{secrets.token_hex(6)}"}}


def workers(state: State) -> dict[Process, str]:
    """The processes in which the stack's functions run, and the command line of each."""
    pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    lines = {process.find(pid): process.command_line(pid) for pid in pids}
    return {each: line for each, line in lines.items() if f"{state.tmp}/ministack-lambda-" in line}


def test_a_paused_graph_goes_on_in_another_client_and_in_functions_that_were_started_anew(
    stack: Stack, state: State, config: RunnableConfig
) -> None:
    paused = run(stack, config, {"lines": ["asked"], "facts": FACTS}, pause_before="publish")
    before = workers(state)
    for worker in before:
        worker.stop()

    resumed = run(stack, config, None)
    after = workers(state)

    assert paused == {"lines": ["asked", "draft", "check"], "facts": FACTS}
    assert resumed == {"lines": ["asked", "draft", "check", "publish"], "facts": FACTS}
    for each in (before, after):
        assert any("-working-" in line for line in each.values())
    assert not before.keys() & after.keys(), "the old ones are gone, so a new one answered"


@pytest.mark.parametrize("once", [run, run_sync], ids=["async", "sync"])
def test_runs_of_one_thread_go_on_from_each_other_and_threads_are_apart(
    stack: Stack, config: RunnableConfig, once: Callable[..., Any]
) -> None:
    for n in range(3):
        seen = once(stack, config, {"lines": [f"question {n}"], "facts": {"n": n}})
    other = once(stack, {"configurable": {"thread_id": secrets.token_hex(6)}}, {"lines": ["x"], "facts": {}})

    assert [line for line in seen["lines"] if "question" in line] == ["question 0", "question 1", "question 2"]
    assert len(seen["lines"]) == 12
    assert seen["facts"] == {"n": 2}
    assert other["lines"] == ["x", "draft", "check", "publish"]


def test_a_run_that_failed_is_taken_up_where_it_failed(stack: Stack, config: RunnableConfig) -> None:
    with pytest.raises(ArithmeticError):
        run(stack, config, {"lines": ["asked"], "facts": {}}, publish=failing)

    assert run(stack, config, None)["lines"] == ["asked", "draft", "check", "publish"]


def test_a_subgraph_with_a_memory_of_its_own_has_a_session_of_its_own(stack: Stack, config: RunnableConfig) -> None:
    inner = StateGraph(Notes)
    inner.add_node("think", adding("think"))
    inner.add_edge(START, "think")
    outer = StateGraph(Notes)
    outer.add_node("inner", inner.compile(checkpointer=True))
    outer.add_edge(START, "inner")

    async def work() -> list[str]:
        async with client_of(stack) as client:
            app = outer.compile(checkpointer=MnemoraCheckpointSaver(client, namespace="graphs"))
            for _ in range(2):
                await app.ainvoke({"lines": ["asked"], "facts": {}}, config, durability="exit")
            sessions: list[str] = await client.list_sessions(f"graphs:{config['configurable']['thread_id']}")
            return sessions

    assert set(asyncio.run(work())) == {"default", "ns:inner"}


def test_of_two_writers_of_the_same_version_the_second_gets_the_conflict(stack: Stack, config: RunnableConfig) -> None:
    saver = MnemoraCheckpointSaver(ClientPerCall(stack))

    first = saver.put(config, empty_checkpoint(), {"step": 0}, {})
    second = saver.put(first, empty_checkpoint(), {"step": 1}, {})
    with pytest.raises(MnemoraConflictError):
        saver.put(first, empty_checkpoint(), {"step": 2}, {})

    assert [each["configurable"]["checkpoint_version"] for each in (first, second)] == [1, 2]
    assert saver.get_tuple(config).metadata == {"step": 1}


def test_the_saver_gives_the_latest_checkpoint_and_nothing_where_there_is_none(
    stack: Stack, config: RunnableConfig
) -> None:
    saver = MnemoraCheckpointSaver(ClientPerCall(stack))
    assert (saver.get_tuple(config), saver.list(config), asyncio.run(saver.aget(config))) == (None, [], None)

    saver.put(config, empty_checkpoint(), {"step": 0}, {})
    latest = empty_checkpoint()
    saver.put(config, latest, {"step": 1}, {"lines": 1})
    saver.put_writes(config, [("lines", ["late"])], "task")

    assert [(each.checkpoint, each.metadata) for each in saver.list(config)] == [(latest, {"step": 1})]
    assert asyncio.run(saver.aget(config)) == latest
    kept = asyncio.run(ClientPerCall(stack).get_state(agent_id=f"langgraph:{config['configurable']['thread_id']}"))
    assert kept.data["pending_writes"] == {"task": [["lines", ["late"]]]}
