"""Bad input gets a 400 that names each field and rule; nothing that a caller sends makes a 500."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge import Edge, Reply

STATE: dict[str, Any] = {"agent_id": "planner", "data": {}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": None}
EPISODES = "/v1/memory/episodic"


def fields(reply: Reply) -> list[str]:
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    return [each["field"] for each in reply.error["details"]]


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "", "{", '{"a":NaN}', '{"a":1,"a":2}', "[" * 100_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/state"), ("PUT", "/v1/state/a"), ("PATCH", "/v1/state/a"), ("POST", EPISODES)],
)
def test_a_body_that_is_no_object_is_refused(edge: Edge, method: str, path: str, body: str) -> None:
    assert fields(edge.call(method, path, body)) == ["body"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agent_id": None}, "agent_id"),
        ({"agent_id": ""}, "agent_id"),
        ({"agent_id": 1}, "agent_id"),
        ({"agent_id": "x" * 257}, "agent_id"),
        ({"agent_id": "a\0b"}, "agent_id"),
        ({"session_id": None}, "session_id"),
        ({"user_id": "a\nb"}, "user_id"),
        ({"data": []}, "data"),
        ({"data": None}, "data"),
        ({"ttl_hours": 0}, "ttl_hours"),
        ({"ttl_hours": -1}, "ttl_hours"),
        ({"ttl_hours": "1"}, "ttl_hours"),
        ({"ttl_hours": True}, "ttl_hours"),
        ({"ttl_hours": 10**9}, "ttl_hours"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": 1763631000}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2101-01-01T00:00:00Z", "ttl_hours": 1}, "expires_at"),
        ({"purposes": "support"}, "purposes"),
        ({"purposes": [""]}, "purposes.0"),
        ({"metadata": []}, "metadata"),
        ({"source": {"kind": "x"}}, "source.id"),
        ({"source": {"kind": "x", "id": "y", "z": 1}}, "source.z"),
        ({"trust": "anybody"}, "trust"),
        ({"tenant_id": "globex"}, "tenant_id"),
        ({"version": 1}, "version"),
    ],
)
def test_each_broken_field_is_named(edge: Edge, change: dict[str, Any], field: str) -> None:
    assert fields(edge.call("POST", "/v1/state", STATE | change)) == [field]


@pytest.mark.parametrize("ttl", ["1e400", "1e-400", "-0", "1" * 400, "1" + "0" * 5000])
def test_numbers_that_no_clock_can_add_are_refused(edge: Edge, ttl: str) -> None:
    body = '{"agent_id":"planner","data":{},"ttl_hours":' + ttl + "}"

    assert fields(edge.call("POST", "/v1/state", body)) == ["ttl_hours"]


@pytest.mark.parametrize("ttl", ["1", "1.0", "0.5", "1e2", "876000"])
def test_hours_may_be_written_as_any_number(edge: Edge, ttl: str) -> None:
    body = '{"agent_id":"planner","data":{},"ttl_hours":' + ttl + "}"

    assert edge.call("POST", "/v1/state", body).data["expires_at"]


@pytest.mark.parametrize("version", ["0", "-1", "1.0", '"1"', "null", "true", "9" * 17, "9" * 400, "9" * 5000])
def test_a_version_is_a_positive_integer_that_a_store_can_hold(edge: Edge, version: str) -> None:
    edge.call("POST", "/v1/state", STATE)

    assert fields(edge.call("PUT", "/v1/state/planner", '{"data":{},"version":' + version + "}")) == ["version"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1_0", "limit"),
        ("limit=00000000050", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=%205", "limit"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("type=dream", "type"),
        ("order=random", "order"),
        ("from=yesterday", "from"),
        ("to=1763631000", "to"),
        ("start=2026-11-20T09:30:00Z", "start"),
        ("session_id=", "session_id"),
        ("user_id=%00", "user_id"),
        ("run_id=" + "x" * 257, "run_id"),
        ("unknown=1", "unknown"),
        ("=1", ""),
        ("limit=1&limit=1", "limit"),
        ("metadata.a=1&metadata.a=1", "metadata.a"),
        ("metadata=x", "metadata"),
        ("metadata=x&metadata.k=v", "metadata"),
        ("metadata.k=v&metadata=x", "metadata"),
        ("session_id=%ff", "query"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
    ],
)
def test_each_broken_query_field_is_named(edge: Edge, query: str, field: str) -> None:
    assert fields(edge.call("GET", f"{EPISODES}/planner?{query}")) == [field or "body"]


@pytest.mark.parametrize("path", ["/v1/state/a", "/v1/state/a/sessions", f"{EPISODES}/a/sessions/s"])
@pytest.mark.parametrize("query", ["unknown=1", "metadata.a=1", "tenant_id=globex"])
def test_every_route_refuses_unknown_query_fields(edge: Edge, path: str, query: str) -> None:
    assert fields(edge.call("GET", f"{path}?{query}"))


@pytest.mark.parametrize("path", ["/v1/state/~", "/v1/state/~YWJj", "/v1/state/a b", "/v1/state/~AA"])
def test_an_id_in_a_path_has_one_spelling(edge: Edge, path: str) -> None:
    assert fields(edge.call("GET", path)) == ["agent_id"]


def test_a_refusal_stays_small_whatever_was_sent(edge: Edge) -> None:
    many = json.dumps({f"f{number}": 1 for number in range(150_000)})
    long = json.dumps({'"' * 1_000_000: 1})

    for body in (many, long, f'{{"items":[{long}]}}'):
        for path in ("/v1/state", f"{EPISODES}/batch"):
            assert len(str(edge.call("POST", path, body).text)) < 20_000


def test_a_refusal_does_not_quote_values(edge: Edge) -> None:
    reply = edge.call(
        "POST", "/v1/state", STATE | {"trust": "hunter2", "ttl_hours": "hunter3", "expires_at": "hunter4"}
    )

    assert len(fields(reply)) == 3
    assert "hunter" not in str(reply.text)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*EPISODE, *STATE, "timestamp", "ttl_hours", "expires_at", "items"]), anything))
def test_no_body_makes_a_500(edge: Edge, change: dict[str, Any]) -> None:
    for path, valid in (("/v1/state", STATE), (EPISODES, EPISODE), (f"{EPISODES}/batch", {"items": [EPISODE]})):
        assert edge.call("POST", path, valid | change).status < 500
    assert edge.call("POST", f"{EPISODES}/batch", {"items": [EPISODE | change]}).status == 200


@pytest.mark.parametrize("limit", [1, 50, 500])
@pytest.mark.parametrize("path", ["/v1/memory/episodic/planner", "/v1/state/planner/sessions"])
def test_a_limit_in_its_range_is_taken(edge: Edge, path: str, limit: int) -> None:
    assert edge.call("GET", f"{path}?limit={limit}").status == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/state"), ("DELETE", "/v1/state/planner/default")])
def test_a_write_with_a_query_is_refused_and_not_half_understood(edge: Edge, method: str, path: str) -> None:
    assert fields(edge.call(method, f"{path}?version=3", STATE)) == ["query"]
