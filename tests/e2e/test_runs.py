"""Runs, idempotency keys and flags over HTTP."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.api import Api
from tests.e2e.conftest import admin


@pytest.fixture
def run() -> str:
    return f"run-{secrets.token_hex(6)}"


def a_step(agent: str = "planner", **fields: Any) -> dict[str, Any]:
    return {"agent_id": agent, "state": {"note": "on its way"}, "status": "running", **fields}


def test_steps_of_several_agents_are_read_in_order_and_purged_with_their_agent(api: Api, run: str) -> None:
    agents = [f"agent-{secrets.token_hex(6)}" for _ in range(2)]
    for number, status in ((2, "waiting"), (10, "done"), (1, "running")):
        api.put(f"/v1/runs/{run}/steps/{number}", a_step(agents[number % 2], status=status))

    read = api.get(f"/v1/runs/{run}")
    assert ([step["step"] for step in read["steps"]], read["status"], read["step"]) == ([1, 2, 10], "done", 10)
    page = api.get(f"/v1/runs/{run}?limit=2")
    rest = api.get(f"/v1/runs/{run}?limit=2&cursor={page['next_cursor']}")
    assert [step["step"] for step in page["steps"] + rest["steps"]] == [1, 2, 10]
    assert [found["run_id"] for found in api.get(f"/v1/runs?agent_id={agents[1]}&status=done")["runs"]] == [run]
    assert api.get(f"/v1/runs?agent_id={agents[1]}&status=failed")["runs"] == []

    assert api.delete(f"/v1/memory/{agents[0]}", expect=200)["deleted"]["runs"] == 2

    read = api.get(f"/v1/runs/{run}")
    assert ([step["step"] for step in read["steps"]], read["status"]) == ([1], "running")
    api.delete(f"/v1/memory/{agents[1]}", expect=200)
    api.get(f"/v1/runs/{run}", expect=404)


def test_twenty_agents_that_write_steps_of_one_run_at_once_lose_none(api: Api, run: str) -> None:
    def write(number: int) -> int:
        while True:
            told = api.request("PUT", f"/v1/runs/{run}/steps/{number}", a_step(f"agent-{number}"))
            if told.status_code != 409:  # other requests are writing the same record
                return told.status_code

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(write, range(40))) == [200] * 40

    read = api.get(f"/v1/runs/{run}")
    assert ([step["step"] for step in read["steps"]], read["step"]) == (list(range(40)), 39)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/state", {"agent_id": "{}", "data": {"n": 1}}),
        ("PUT", "/v1/runs/{}/steps/1", a_step()),
        ("POST", "/v1/runs/{}/tools/c", {"agent_id": "a", "tool": "t", "arguments_hash": "h", "lease_s": 60}),
        ("POST", "/v1/memory/episodic", {"agent_id": "{}", "session_id": "s", "type": "action", "content": 1}),
    ],
    ids=["state", "step", "claim", "episode"],
)
def test_a_write_sent_five_times_at_once_is_one_record_and_one_answer(
    api: Api, run: str, method: str, path: str, body: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    sent = {name: run if value == "{}" else value for name, value in body.items()}

    def send(_: int) -> tuple[bool, Any]:
        while True:
            told = api.request(method, path.format(run), sent, headers=headers)
            if told.status_code != 409:
                return "idempotency-replayed" in told.headers, (told.status_code, told.json()["data"])
            assert told.json()["error"]["code"] == "IN_PROGRESS"

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, range(5)))

    assert [replayed for replayed, _ in answers].count(False) == 1
    assert all(answer == answers[0][1] for _, answer in answers)
    other = api.request(method, path.format(run), {**sent, "metadata": {"other": 1}}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "CONFLICT")


@pytest.fixture
def own(stack: Stack) -> Iterator[tuple[str, Api]]:
    """A tenant that nobody else is, and its API."""
    tenant = f"flags-{secrets.token_hex(6)}"
    made = admin(stack, "keys", "create", "--tenant", tenant, "--scopes", "read")
    with closing(Api(stack.api_url, made["api_key"])) as client:
        yield tenant, client


def test_an_agent_reads_the_flags_that_an_operator_switched(own: tuple[str, Api], stack: Stack, api: Api) -> None:
    tenant, client = own
    assert client.get("/v1/flags") == {"flags": {}}

    admin(stack, "tenants", "flag", "--tenant", tenant, "--set", "b.new=on", "--set", "a=off", "--set", "model=large")
    assert client.get("/v1/flags") == {"flags": {"a": False, "b.new": True, "model": "large"}}
    admin(stack, "tenants", "flag", "--tenant", tenant, "--drop", "a", "--set", "model=small")

    flags = {"b.new": True, "model": "small"}
    assert client.get("/v1/flags") == {"flags": flags}
    assert admin(stack, "tenants", "show", "--tenant", tenant)["flags"] == flags
    assert "model" not in api.get("/v1/flags")["flags"]
