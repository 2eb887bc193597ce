"""The published SDK as it is, over HTTP: state, episodes and errors; memories are in `test_sdk_memory.py`."""

import ast
import asyncio
import gc
import inspect
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mnemora import (  # type: ignore[import-untyped]
    MnemoraAuthError,
    MnemoraClient,
    MnemoraConflictError,
    MnemoraError,
    MnemoraNotFoundError,
    MnemoraSync,
    MnemoraValidationError,
)

from local.stack import Stack
from tests.e2e.sdk import client_of

NOWHERE = "00000000-0000-4000-8000-000000000000"
KINDS = ["conversation", "action", "observation", "tool_call"]
Calls = dict[str, Callable[[], Any]]


@pytest.fixture
def agent() -> str:
    # The SDK writes ids into paths as they are. These are the characters that stand for themselves there.
    return f"team:{secrets.token_hex(6)}@x.y+z=1,2-_"


def parameters(method: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(method).parameters)[1:]


def test_every_method_has_a_test_that_gives_it_every_argument() -> None:
    called: set[tuple[str, ...]] = set()
    for file in Path(__file__).parent.glob("test_sdk*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(ast.Attribute(ast.Name("client" | "alone"), str(method))):
                    positional = parameters(getattr(MnemoraClient, method))[: len(node.args)]
                    named = [keyword.arg for keyword in node.keywords if keyword.arg]
                    called |= {(method,), *((method, name) for name in positional + named)}

    for published in (MnemoraClient, MnemoraSync):
        methods = {name: each for name, each in vars(published).items() if not name.startswith("_")}
        arguments = {(method, name) for method, each in methods.items() for name in parameters(each)}
        assert {(method,) for method in methods} | arguments <= called, f"of {published.__name__}"


def test_a_state_is_stored_read_replaced_listed_and_deleted(client: Any, agent: str) -> None:
    data = {"task": "summarise", "nested": {"list": [1, 2.5, None, "🦊"]}}

    stored = client.store_state(agent, {"task": "read"})
    again = client.store_state(agent, data)
    read = client.get_state(agent)

    assert (stored.session_id, stored.version, stored.expires_at) == ("default", 1, None)
    assert (again.version, again.created_at) == (2, stored.created_at), "a second store never starts anew"
    assert (read.agent_id, read.data, read.version, read.updated_at) == (agent, data, 2, again.updated_at)
    assert client.update_state(agent, {"done": True}, read.version).version == 3
    assert client.get_state(agent).data == {"done": True}
    assert client.list_sessions(agent) == ["default"]
    assert client.delete_state(agent, "default") is None
    assert client.list_sessions(agent) == []
    with pytest.raises(MnemoraNotFoundError):
        client.get_state(agent)


def test_sessions_of_an_agent_are_apart_and_keep_their_expiry(client: Any, agent: str) -> None:
    client.store_state(agent, {"n": 0})
    stored = client.store_state(agent, {"n": 1}, session_id="s 1/ü", ttl_hours=2)
    kept = client.update_state(agent, {"n": 2}, stored.version, session_id="s 1/ü")
    longer = client.update_state(agent, {"n": 3}, kept.version, session_id="s 1/ü", ttl_hours=48)

    def left(state: Any) -> timedelta:
        return datetime.fromisoformat(state.expires_at) - datetime.fromisoformat(state.updated_at)

    assert left(stored) == timedelta(hours=2)
    assert kept.expires_at == stored.expires_at
    assert left(longer) == timedelta(hours=48)
    assert client.get_state(agent, session_id="s 1/ü").data == {"n": 3}
    assert client.get_state(agent).data == {"n": 0}
    assert set(client.list_sessions(agent)) == {"default", "s 1/ü"}


def test_a_stale_version_is_a_conflict_and_changes_nothing(client: Any, agent: str) -> None:
    first = client.store_state(agent, {"by": "first"})
    client.update_state(agent, {"by": "second"}, first.version)

    with pytest.raises(MnemoraConflictError) as refused:
        client.update_state(agent, {"by": "third"}, first.version)

    assert (refused.value.status_code, refused.value.code) == (409, "CONFLICT")
    assert client.get_state(agent).data == {"by": "second"}


def test_episodes_come_newest_first_and_a_session_in_the_order_of_its_events(client: Any, agent: str) -> None:
    contents = ["plain", {"a": 1.0}, ["x"], None]
    stored = [
        client.store_episode(agent, f"s{n % 2}", type=kind, content=content, metadata={"n": n})
        for n, (kind, content) in enumerate(zip(KINDS, contents, strict=True))
    ]

    # The SDK says "in chronological order" of both. This API gives the newest first, so that `limit` keeps those.
    read = client.get_episodes(agent)
    replayed = client.get_session_episodes(agent, "s1")

    assert [(each.id, each.type, each.content) for each in read[::-1]] == [
        (each.id, kind, content) for each, kind, content in zip(stored, KINDS, contents, strict=True)
    ]
    assert [(each.session_id, each.metadata) for each in replayed] == [("s1", {"n": 1}), ("s1", {"n": 3})]
    assert [each.timestamp for each in replayed] == sorted(each.timestamp for each in replayed)


def test_episodes_are_filtered_by_session_type_time_and_number(client: Any, agent: str) -> None:
    times = [client.store_episode(agent, f"s{n // 4}", KINDS[n % 2], n).timestamp for n in range(8)]

    def told(episodes: list[Any]) -> list[int]:
        return [episode.content for episode in episodes]

    assert told(client.get_episodes(agent, limit=2)) == [7, 6]
    assert told(client.get_episodes(agent, session_id="s0")) == [3, 2, 1, 0]
    assert told(client.get_episodes(agent, type="action")) == [7, 5, 3, 1]
    assert told(client.get_episodes(agent, from_ts=times[2], to_ts=times[4])) == [4, 3, 2]
    assert told(client.get_episodes(agent, "s1", "conversation", times[1], times[5], 9)) == [4]
    assert told(client.get_episodes(agent, session_id="s9")) == []


@pytest.mark.parametrize("key", ["mnm_test", "amk_0123456789abcdef_x", "x" * 300])
def test_a_key_that_is_not_ours_is_an_authentication_error(connect: Callable[[str], Any], key: str) -> None:
    with connect(key) as stranger:
        for call in (stranger.get_usage, lambda: stranger.list_sessions("a"), lambda: stranger.search_memory("a")):
            with pytest.raises(MnemoraAuthError) as refused:
                call()
            assert (refused.value.status_code, refused.value.code) == (401, "UNAUTHORIZED")


def test_what_does_not_exist_is_not_found(client: Any, agent: str) -> None:
    calls: Calls = {
        "get_state": lambda: client.get_state(agent),
        "update_state": lambda: client.update_state(agent, {}, version=1),
        "delete_state": lambda: client.delete_state(agent, "default"),
        "get_memory": lambda: client.get_memory(NOWHERE),
        "delete_memory": lambda: client.delete_memory(NOWHERE),
        "get_session_episodes": lambda: client.get_session_episodes(agent, "s"),
    }
    for method, call in calls.items():
        with pytest.raises(MnemoraNotFoundError) as refused:
            call()
        assert (refused.value.status_code, refused.value.code) == (404, "NOT_FOUND"), method


def test_a_request_against_the_rules_is_a_validation_error_that_names_the_field(client: Any, agent: str) -> None:
    calls: Calls = {
        "type": lambda: client.store_episode(agent, "s", "dream", "x"),
        "content": lambda: client.store_memory(agent, " "),
        "ttl_hours": lambda: client.store_state(agent, {}, ttl_hours=-1),
        "top_k": lambda: client.search_memory("x", agent_id=agent, top_k=0),
        "from": lambda: client.get_episodes(agent, from_ts="yesterday"),
    }
    for field, call in calls.items():
        with pytest.raises(MnemoraValidationError, match=field) as refused:
            call()
        assert (refused.value.status_code, refused.value.code) == (400, "VALIDATION_ERROR")


def test_any_other_refusal_keeps_its_status_and_code(client: Any, alone: Any, agent: str) -> None:
    with pytest.raises(MnemoraError) as too_large:
        client.store_state(agent, {"x": "a" * 2_600_000})
    with pytest.raises(MnemoraError) as forbidden:
        alone.purge_agent(agent)

    assert (too_large.value.status_code, too_large.value.code) == (413, "PAYLOAD_TOO_LARGE")
    assert (forbidden.value.status_code, forbidden.value.code) == (403, "FORBIDDEN")


def test_a_client_that_is_closed_by_hand_leaves_nothing_open(connect: Callable[[str], Any], stack: Stack) -> None:
    client = connect(stack.api_key)
    client.get_usage()

    assert client.close() is None

    del client
    gc.collect()  # what was left open would complain now, and a complaint fails the test


def test_the_async_client_has_many_calls_under_way_at_once(stack: Stack, agent: str) -> None:
    async def work() -> list[int]:
        async with client_of(stack) as client:
            await asyncio.gather(*(client.store_state(agent, {"n": n}, f"s{n}") for n in range(8)))
            states = await asyncio.gather(*(client.get_state(agent, f"s{n}") for n in range(8)))
            return [state.data["n"] for state in states]

    assert asyncio.run(work()) == list(range(8))
