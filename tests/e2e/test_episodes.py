"""Episodes over HTTP, on the stack that Terraform built."""

import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from agent_memory.domain.identifiers import to_path
from local.stack import Stack
from tests.e2e.api import Api
from tests.e2e.conftest import admin, dynamodb


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(6)}"


@pytest.fixture
def spread_agent(stack: Stack) -> str:
    """An agent that an operator spread over eight buckets two minutes ago."""
    agent = f"agent-{secrets.token_hex(6)}"
    tenant = stack.tenants[0].tenant_id
    answer = admin(stack, "agents", "spread", "--tenant", tenant, "--agent", agent, "--buckets", "8")
    two_minutes_ago = json.dumps([[8, time.time_ns() // 1000 - 120_000_000]]).encode()
    with closing(dynamodb(stack)) as client:
        client.update_item(
            TableName=stack.control_table,
            Key={"pk": {"S": f"{tenant}#AGENT#{agent}"}, "sk": {"S": "BUCKETS"}},
            UpdateExpression="SET growths = :growths",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":growths": {"B": two_minutes_ago}},
        )
    assert answer["buckets"] == 8
    return agent


def buckets_in_use(stack: Stack, agent: str) -> int:
    """How many partitions hold episodes of the agent."""
    with closing(dynamodb(stack)) as client:
        return sum(
            client.query(
                TableName=stack.memory_table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :kind)",
                ExpressionAttributeValues={
                    ":pk": {"S": f"{stack.tenants[0].tenant_id}#{agent}#{bucket}"},
                    ":kind": {"S": "EPISODE#"},
                },
            )["Count"]
            > 0
            for bucket in range(8)
        )


def episode(agent: str, content: Any, session: str = "s", **fields: Any) -> dict[str, Any]:
    return {"agent_id": agent, "session_id": session, "type": "conversation", "content": content, **fields}


def walk(api: Api, path: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"{path}?{query}" + (f"&cursor={cursor}" if cursor else ""))
        found += page["episodes"]
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize("query", ["limit=5", "limit=5&session_id=s", "limit=5&user_id=u", "limit=5&run_id=r"])
def test_the_last_n_really_are_the_last_n_right_after_the_write(api: Api, agent: str, query: str) -> None:
    for n in range(12):
        api.post("/v1/memory/episodic", episode(agent, n, user_id="u", run_id="r"), expect=201)
        newest = api.get(f"/v1/memory/episodic/{agent}?{query}")["episodes"]
        assert [e["content"] for e in newest] == list(range(n, max(-1, n - 5), -1))


def test_an_episode_with_an_old_time_is_found_at_once_and_in_its_place(api: Api, agent: str) -> None:
    api.post("/v1/memory/episodic", episode(agent, "now"), expect=201)
    api.post("/v1/memory/episodic", episode(agent, "old", timestamp="2021-03-04T05:06:07.123456+02:00"), expect=201)
    api.post("/v1/memory/episodic", episode(agent, "older", timestamp="2020-01-01T00:00:00Z"), expect=201)

    replayed = api.get(f"/v1/memory/episodic/{agent}/sessions/s")["episodes"]

    assert [e["content"] for e in replayed] == ["older", "old", "now"]
    assert replayed[1]["timestamp"] == "2021-03-04T03:06:07.123456Z"


def test_filters_never_shorten_pages(api: Api, agent: str) -> None:
    items = [
        episode(
            agent, n, type="action" if n % 20 == 0 else "observation", metadata={"color": "red" if n % 20 else "blue"}
        )
        for n in range(200)
    ]
    for start in (0, 100):
        api.post("/v1/memory/episodic/batch", {"items": items[start : start + 100]})

    for query in ("type=action", "metadata.color=blue", "session_id=s&type=action"):
        page = api.get(f"/v1/memory/episodic/{agent}?{query}&limit=5")
        assert [e["content"] for e in page["episodes"]] == [180, 160, 140, 120, 100]
        assert len(walk(api, f"/v1/memory/episodic/{agent}", f"{query}&limit=5")) == 10


def test_times_bound_a_walk_inclusively(api: Api, agent: str) -> None:
    for day in range(1, 8):
        api.post("/v1/memory/episodic", episode(agent, day, timestamp=f"2024-05-0{day}T00:00:00Z"), expect=201)

    bounds = "from=2024-05-03T00:00:00Z&to=2024-05-05T00:00:00Z"

    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}", bounds)] == [5, 4, 3]
    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}", bounds + "&order=oldest")] == [3, 4, 5]


@pytest.mark.parametrize("which", ["agent", "spread_agent"], ids=["one bucket", "eight buckets"])
@pytest.mark.parametrize("query", ["limit=7", "limit=7&order=oldest", "limit=7&user_id=u"])
def test_a_walk_covers_every_record_exactly_once_while_four_writers_append(
    api: Api, stack: Stack, request: pytest.FixtureRequest, which: str, query: str
) -> None:
    agent: str = request.getfixturevalue(which)
    before = {
        api.post("/v1/memory/episodic", episode(agent, n, session=f"s{n % 5}", user_id="u", **_time(n)), expect=201)[
            "id"
        ]
        for n in range(40)
    }
    stop = threading.Event()

    def append(writer: int) -> int:
        n = 0
        while not stop.is_set() and n < 200:
            n += 1
            body = episode(agent, n, session=f"s{writer}", user_id="u", **_time(n))
            api.post("/v1/memory/episodic", body, expect=201)
        return n

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(append, writer) for writer in range(4)]
        found = [e["id"] for e in walk(api, f"/v1/memory/episodic/{agent}", query)]
        stop.set()
        appended = sum(writer.result() for writer in writers)

    assert appended > 0
    assert len(found) == len(set(found))
    assert before <= set(found)
    assert len(walk(api, f"/v1/memory/episodic/{agent}", "limit=500")) == 40 + appended
    assert (buckets_in_use(stack, agent) > 1) == (which == "spread_agent")


def _time(n: int) -> dict[str, str]:
    """Every other record is old."""
    return {"timestamp": f"2022-01-01T00:00:{n % 60:02}Z"} if n % 2 else {}


def test_two_agents_with_the_same_session_never_mix(api: Api, agent: str) -> None:
    other = f"{agent}-other"
    for name in (agent, other):
        for n in range(3):
            api.post("/v1/memory/episodic", episode(name, f"{name} {n}", "default", user_id=name), expect=201)

    replayed = api.get(f"/v1/memory/episodic/{agent}/sessions/default")["episodes"]

    assert [e["content"] for e in replayed] == [f"{agent} {n}" for n in range(3)]
    api.get(f"/v1/memory/episodic/{agent}/sessions/nobody", expect=404)


def test_strange_session_ids_replay(api: Api, agent: str) -> None:
    for session in ["a#b", "a/b", "🦊 den", "%23", "x" * 256]:
        api.post("/v1/memory/episodic", episode(agent, session, session), expect=201)
        replayed = api.get(f"/v1/memory/episodic/{agent}/sessions/{to_path(session)}")["episodes"]
        assert [e["content"] for e in replayed] == [session]


def test_content_comes_back_as_it_was_written(api: Api, agent: str) -> None:
    content = '{"f":1.0,"i":12345678901234567890123,"b":1e300,"n":null,"e":"","l":[],"z":"\\u0000"}'
    body = f'{{"agent_id":"{agent}","session_id":"s","type":"tool_call","content":{content}}}'
    assert api.request("POST", "/v1/memory/episodic", content=body.encode()).status_code == 201

    assert f'"content":{content}' in api.request("GET", f"/v1/memory/episodic/{agent}").text


def test_a_batch_answers_each_item_in_order_and_keeps_it(api: Api, agent: str) -> None:
    nothing = {"agent_id": agent, "content": 1}
    items = [episode(agent, 0), nothing, episode(agent, 2), episode(agent, 3, type="dream")]

    results = api.post("/v1/memory/episodic/batch", {"items": items})["results"]

    assert [result["status"] for result in results] == [201, 400, 201, 400]
    assert results[1]["error"]["code"] == "VALIDATION_ERROR"
    assert {detail["field"] for detail in results[1]["error"]["details"]} == {"session_id", "type"}
    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}", "order=oldest")] == [0, 2]


def test_a_repeated_append_or_batch_writes_once(api: Api, agent: str) -> None:
    keys = [{"Idempotency-Key": secrets.token_hex(8)} for _ in range(2)]
    for _ in range(3):
        one = api.request("POST", "/v1/memory/episodic", episode(agent, "one"), headers=keys[0])
        many = {"items": [episode(agent, n) for n in range(30)]}
        batch = api.request("POST", "/v1/memory/episodic/batch", many, headers=keys[1])
        assert (one.status_code, batch.status_code) == (201, 200)

    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}", "order=oldest")] == ["one", *range(30)]


def test_an_expired_episode_is_hidden_at_once(api: Api, agent: str) -> None:
    api.post("/v1/memory/episodic", episode(agent, "stays"), expect=201)
    gone = api.post("/v1/memory/episodic", episode(agent, "goes", ttl_hours=1e-6), expect=201)

    assert gone["expires_at"] > gone["created_at"]
    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}")] == ["stays"]
    assert [e["content"] for e in walk(api, f"/v1/memory/episodic/{agent}/sessions/s")] == ["stays"]


def test_a_cursor_serves_only_the_walk_and_the_tenant_it_was_made_for(api: Api, other_tenant: Api, agent: str) -> None:
    for tenant in (api, other_tenant):
        for n in range(3):
            tenant.post("/v1/memory/episodic", episode(agent, n), expect=201)
    path = f"/v1/memory/episodic/{agent}"
    cursor = api.get(f"{path}?limit=1")["next_cursor"]

    assert api.get(f"{path}?limit=2&cursor={cursor}")["episodes"][0]["content"] == 1
    for refused in (
        other_tenant.get(f"{path}?limit=1&cursor={cursor}", expect=400),
        api.get(f"{path}?limit=1&order=oldest&cursor={cursor}", expect=400),
        api.get(f"{path}-other?limit=1&cursor={cursor}", expect=400),
        api.get(f"{path}?limit=1&cursor={cursor[:-2]}AA", expect=400),
        api.get(f"{path}?limit=1&cursor=", expect=400),
    ):
        assert refused["details"][0]["field"] == "cursor"


def test_another_tenant_sees_no_episode(api: Api, other_tenant: Api, agent: str) -> None:
    api.post("/v1/memory/episodic", episode(agent, "mine", user_id="u", run_id="r"), expect=201)

    for query in ("", "session_id=s", "user_id=u", "run_id=r"):
        assert other_tenant.get(f"/v1/memory/episodic/{agent}?{query}")["episodes"] == []
    other_tenant.get(f"/v1/memory/episodic/{agent}/sessions/s", expect=404)


def test_an_episode_by_the_route_for_every_layer_is_found(api: Api, agent: str) -> None:
    told = {"agent_id": agent, "session_id": "s", "type": "action", "content": "by the common route"}
    stored = [api.post("/v1/memory", told | more, expect=201) for more in ({}, {"timestamp": "2026-01-01T00:00:00Z"})]

    found = api.get(f"/v1/memory/episodic/{agent}/sessions/s")["episodes"]

    assert [each["id"] for each in found] == [each["id"] for each in reversed(stored)], "the oldest first"
