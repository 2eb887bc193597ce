"""LangChain's history and CrewAI's storage by the published SDK as it is; LangGraph's is in `test_sdk_langgraph.py`."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from mnemora import MnemoraNotFoundError, MnemoraSync  # type: ignore[import-untyped]
from mnemora.integrations.crewai import MnemoraCrewStorage  # type: ignore[import-untyped]
from mnemora.integrations.langchain import MnemoraMemory  # type: ignore[import-untyped]

from local.stack import Stack
from tests.e2e.sdk import PATIENCE_S, ClientPerCall


@pytest.fixture
def sync_client(stack: Stack) -> Iterator[Any]:
    """What the SDK advises for both."""
    with MnemoraSync(stack.api_key, base_url=stack.api_url, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(6)}"


History = Callable[..., MnemoraMemory]


@pytest.fixture(params=["MnemoraSync", "MnemoraClient"])
def history(request: pytest.FixtureRequest, stack: Stack, sync_client: Any, agent: str) -> History:
    """LangChain's history of a session, of this agent or another."""
    if request.param == "MnemoraSync":
        return lambda session_id, of=agent: MnemoraMemory(sync_client, of, session_id)
    return lambda session_id, of=agent: MnemoraMemory(ClientPerCall(stack), of, session_id, sync=False)


def test_messages_come_back_as_they_were_and_in_order(history: History) -> None:
    call = {"name": "track", "args": {"parcel": 17, "weight": 1.0}, "id": "call-1", "type": "tool_call"}
    chat = history("chat")
    chat.add_message(SystemMessage("Be brief. 🦊"))
    chat.add_user_message("Where is my parcel?")
    chat.add_messages([AIMessage("", tool_calls=[call]), ToolMessage("Oslo", tool_call_id="call-1")])
    chat.add_ai_message("In Oslo.")
    history("another chat").add_user_message("Hello")

    assert history("chat").messages == [
        SystemMessage("Be brief. 🦊"),
        HumanMessage("Where is my parcel?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("Oslo", tool_call_id="call-1"),
        AIMessage("In Oslo."),
    ]


def test_clear_purges_the_agent_and_then_there_is_no_session(history: History, sync_client: Any, agent: str) -> None:
    chat, elsewhere = history("chat"), history("chat", f"{agent}-other")
    chat.add_user_message("Remember me")
    elsewhere.add_user_message("I stay")
    sync_client.store_state(agent, {"n": 1})
    sync_client.store_memory(agent, "The customer waits for a parcel.")

    chat.clear()

    with pytest.raises(MnemoraNotFoundError):
        _ = chat.messages
    assert sync_client.get_all_memory(agent) == {"state": None, "semantic": [], "episodic": []}
    assert elsewhere.messages == [HumanMessage("I stay")]
    chat.add_user_message("A new start")
    assert chat.messages == [HumanMessage("A new start")]


# LangChain wants everybody to move to LangGraph; the SDK names this class for use with its history.
@pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")
def test_a_chain_with_a_history_sees_what_was_said(history: History) -> None:
    def answer(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"I have seen {len(messages)} messages")

    chain = RunnableWithMessageHistory(RunnableLambda(answer), history)
    # In the SDK, reading a session that nobody wrote to yet fails with "not found", so somebody begins.
    history("chat").add_message(SystemMessage("Be brief."))

    for _ in range(2):
        last = chain.invoke([HumanMessage("And now?")], {"configurable": {"session_id": "chat"}})

    assert last == AIMessage("I have seen 4 messages")
    assert [message.type for message in history("chat").messages] == ["system", "human", "ai", "human", "ai"]


def test_a_crew_saves_loads_lists_and_deletes_by_key(sync_client: Any, agent: str) -> None:
    storage = MnemoraCrewStorage(sync_client, agent)

    storage.save("plan", {"steps": ["research", "write"]})
    storage.save("plan", {"steps": ["review"]})
    storage.save("notes of the day/1", ["a", 2.5, None])

    assert storage.load("plan") == {"steps": ["review"]}
    assert storage.load("notes of the day/1") == {"value": ["a", 2.5, None]}
    assert storage.load("nothing") is None
    assert set(storage.list_keys()) == {"plan", "notes of the day/1"}
    storage.delete("plan")
    storage.delete("plan")
    assert storage.load("plan") is None
    assert storage.list_keys() == ["notes of the day/1"]


def test_a_crew_finds_and_resets_everything_however_much_it_saved(sync_client: Any, agent: str) -> None:
    storage = MnemoraCrewStorage(sync_client, agent)
    for n in range(60):
        sync_client.store_state(agent, {"value": n}, f"key-{n}")
    MnemoraCrewStorage(sync_client, f"{agent}-other").save("stays", 1)

    assert sorted(item["value"] for item in storage.search("anything")) == list(range(60))
    storage.reset()

    assert storage.list_keys() == []
    assert storage.search("anything") == []
    assert MnemoraCrewStorage(sync_client, f"{agent}-other").list_keys() == ["stays"]
