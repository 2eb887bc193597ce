"""What callers see of limits, over stores in memory and over DynamoDB."""

from typing import Any

import pytest

from agent_memory.bootstrap import readiness
from agent_memory.domain.limits import Limits
from tests.edge import Edge, Reply
from tests.fakes.clock import Clock

STATE: dict[str, Any] = {"agent_id": "planner", "data": {"x": 1}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": "tea"}
MEMORY: dict[str, Any] = {"agent_id": "planner", "content": "the user likes tea"}
WRITES = [
    ("/v1/state", STATE),
    ("/v1/memory/episodic", EPISODE),
    ("/v1/memory/episodic/batch", {"items": [EPISODE, EPISODE]}),
]


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    if request.param == "deployed":
        request.getfixturevalue("s3")
    made.scopes = "read write erase"
    return made


def usage(api: Edge) -> Any:
    return Edge(api.tenant_id, "read").call("GET", "/v1/usage").data


def is_limited(reply: Reply, limit: str, allowed: int) -> bool:
    return (reply.status, reply.error["code"], reply.error["details"]) == (
        429,
        "RATE_LIMITED",
        {"limit": limit, "allowed": allowed},
    )


def test_requests_over_the_limit_of_a_second_are_refused_until_the_next(api: Edge, clock: Clock) -> None:
    api.limits = Limits(requests_per_second=3)

    replies = [api.call("GET", "/v1/state/planner") for _ in range(5)]

    assert [reply.status for reply in replies] == [404] * 3 + [429] * 2
    assert is_limited(replies[-1], "requests_per_second", 3)
    assert replies[-1].headers["retry-after"] == "1"
    clock.turn(seconds=1)
    assert api.call("GET", "/v1/state/planner").status == 404
    assert usage(api)["api_calls_month"] == 5, "what was refused for its number is not counted"


def test_requests_over_the_limit_of_a_month_are_refused_until_the_next(api: Edge, clock: Clock) -> None:
    api.limits = Limits(requests_per_month=2)

    replies = [api.call("GET", "/v1/state/planner") for _ in range(3)]

    assert [reply.status for reply in replies] == [404, 404, 429]
    assert is_limited(replies[-1], "requests_per_month", 2)
    assert replies[-1].headers["retry-after"] == "3600"
    clock.turn(days=11)
    assert api.call("GET", "/v1/state/planner").status == 404


def test_what_the_key_may_not_do_counts_as_well(api: Edge) -> None:
    api.limits, api.scopes = Limits(requests_per_month=2), "read"

    assert [api.call("POST", "/v1/state", STATE).status for _ in range(3)] == [403, 403, 429]


def test_a_refused_request_is_judged_afresh_when_it_is_sent_again(api: Edge, clock: Clock) -> None:
    api.limits = Limits(requests_per_second=1)
    api.call("GET", "/v1/state/planner")

    assert api.call("POST", "/v1/state", STATE, key="k").status == 429
    clock.turn(seconds=1)
    again = api.call("POST", "/v1/state", STATE, key="k")

    assert (again.status, again.headers.get("idempotency-replayed")) == (201, None)


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize(("path", "body"), WRITES)
def test_what_there_is_no_room_for_is_not_written_at_all(
    api: Edge, clock: Clock, path: str, body: Any, key: str | None
) -> None:
    api.limits = Limits(stored_bytes=10)

    refused = api.call("POST", path, body, key=key)

    assert is_limited(refused, "stored_bytes", 10)
    assert refused.headers["retry-after"] == "60"
    assert api.call("GET", "/v1/state/planner").status == 404
    assert api.call("GET", "/v1/memory/episodic/planner").data["episodes"] == []
    assert (usage(api)["storage"]["dynamo_bytes"], usage(api)["sessions_count"]) == (0, 0)
    api.limits = Limits(stored_bytes=10_000)
    assert api.call("POST", path, body, key=key).status in {200, 201}


def test_room_is_used_and_freed_by_the_byte(api: Edge) -> None:
    api.call("POST", "/v1/state", STATE)
    one = usage(api)["storage"]["dynamo_bytes"]
    api.limits = Limits(stored_bytes=3 * one)

    statuses = [api.call("POST", "/v1/state", STATE | {"session_id": f"s{number}0000"}).status for number in range(3)]
    assert statuses == [201, 201, 429]
    assert api.call("PUT", "/v1/state/planner", {"data": {"x": 2}, "version": 1}).status in {200, 429}
    api.call("DELETE", "/v1/state/planner/s00000")
    assert api.call("POST", "/v1/state", STATE | {"session_id": "s90000"}).status == 201
    assert usage(api)["storage"]["dynamo_bytes"] <= 3 * one + 100


def test_embeddings_are_reserved_for_what_the_model_is_asked(api: Edge) -> None:
    api.limits = Limits(embeddings_per_month=2)
    assert api.call("POST", "/v1/memory/semantic", MEMORY).status == 201
    assert api.call("POST", "/v1/memory/semantic/search", {"query": "tea"}).status == 200

    for path, body in (("/v1/memory/semantic", MEMORY | {"content": "x"}), ("/v1/memory/search", {"query": "coffee"})):
        assert is_limited(api.call("POST", path, body), "embeddings_per_month", 2)

    assert usage(api)["embeddings_generated_month"] == 2
    assert len(api.call("GET", "/v1/memory/semantic").data["results"]) == 1


@pytest.mark.parametrize("key", [None, "k"])
def test_vectors_are_limited_and_a_text_that_merges_takes_none(api: Edge, key: str | None) -> None:
    api.limits = Limits(vectors=3)
    for _ in range(3):
        api.call("POST", "/v1/memory/semantic", MEMORY)
    assert usage(api)["vectors_count"] == 1

    batch = {"items": [MEMORY | {"content": f"note number {number}"} for number in range(3)]}
    assert is_limited(api.call("POST", "/v1/memory/semantic/batch", batch, key=key), "vectors", 3)
    assert usage(api)["vectors_count"] == 1
    assert usage(api)["embeddings_generated_month"] == 3, "no model was called for what cannot be kept"

    batch["items"].pop()
    assert api.call("POST", "/v1/memory/semantic/batch", batch).status == 200
    assert usage(api)["vectors_count"] == 3
    api.call("DELETE", "/v1/memory/planner")
    assert usage(api)["vectors_count"] == 0


def test_deleting_a_text_makes_room_for_another(api: Edge) -> None:
    api.limits = Limits(vectors=1)
    first = api.call("POST", "/v1/memory/semantic", MEMORY).data["id"]
    assert api.call("POST", "/v1/memory/semantic", MEMORY | {"content": "coffee"}).status == 429

    assert api.call("DELETE", f"/v1/memory/semantic/{first}").status == 204

    assert api.call("POST", "/v1/memory/semantic", MEMORY | {"content": "coffee"}).status == 201


def test_what_has_expired_makes_room_for_another(api: Edge, clock: Clock) -> None:
    api.limits = Limits(vectors=1)
    api.call("POST", "/v1/memory/semantic", MEMORY | {"ttl_hours": 1})
    clock.turn(hours=2)

    assert api.call("POST", "/v1/memory/semantic", MEMORY | {"content": "coffee"}).status == 201
    assert usage(api)["vectors_count"] == 1


def test_usage_tells_the_limits(api: Edge) -> None:
    api.limits = Limits(requests_per_second=5, vectors=7)

    assert api.call("GET", "/v1/usage").data["limits"] == {
        "requests_per_second": 5,
        "requests_per_month": None,
        "embeddings_per_month": None,
        "stored_bytes": None,
        "vectors": 7,
        "retention_days": None,
    }


def test_readiness_and_health_are_not_limited(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    api.limits, api.scopes = Limits(requests_per_second=0), "admin"
    monkeypatch.setattr(readiness, "readiness", lambda: type("Ready", (), {"run": staticmethod(dict)}))

    assert [api.call("GET", path).status for path in ("/v1/health", "/v1/health/ready")] == [200, 200]


def test_tenants_do_not_take_each_others_room(api: Edge) -> None:
    api.limits = Limits(requests_per_second=1, stored_bytes=300, vectors=1)
    other = Edge(f"{api.tenant_id}-2", "read write", Limits(requests_per_second=2, stored_bytes=300, vectors=1))

    assert api.call("POST", "/v1/state", STATE).status == 201
    assert api.call("GET", "/v1/state/planner").status == 429
    assert other.call("POST", "/v1/state", STATE).status == 201
    assert other.call("POST", "/v1/memory/semantic", MEMORY).status == 201
