"""Bad requests get the documented status and body; nothing internal ever shows."""

import base64
import json
import secrets
from typing import Any

import httpx
import pytest

from local.stack import Stack
from tests.e2e.api import Api

STATE = {"agent_id": "a", "data": {}}
EPISODE = {"agent_id": "a", "session_id": "s", "type": "action", "content": 1}


def refusal(response: httpx.Response) -> dict[str, Any]:
    """The error of an answer in our envelope."""
    assert response.headers["content-type"] == "application/json"
    envelope = response.json()
    assert set(envelope) == {"error", "meta"}
    assert {"code", "message"} <= set(envelope["error"]) <= {"code", "message", "details"}
    assert {"request_id", "latency_ms"} <= set(envelope["meta"])
    error: dict[str, Any] = envelope["error"]
    return error


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/state", {"data": {}}, "agent_id"),
        ("/v1/state", {**STATE, "data": []}, "data"),
        ("/v1/state", {**STATE, "agent_id": 7}, "agent_id"),
        ("/v1/state", {**STATE, "agent_id": ""}, "agent_id"),
        ("/v1/state", {**STATE, "agent_id": "x" * 257}, "agent_id"),
        ("/v1/state", {**STATE, "agent_id": "é" * 129}, "agent_id"),
        ("/v1/state", {**STATE, "session_id": "a\nb"}, "session_id"),
        ("/v1/state", {**STATE, "surprise": 1}, "surprise"),
        ("/v1/state", {**STATE, "ttl_hours": 0}, "ttl_hours"),
        ("/v1/state", {**STATE, "ttl_hours": "1"}, "ttl_hours"),
        ("/v1/state", {**STATE, "expires_at": "tomorrow"}, "expires_at"),
        ("/v1/state", {**STATE, "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ("/v1/state", {**STATE, "ttl_hours": 1, "expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ("/v1/state", {**STATE, "trust": "blind"}, "trust"),
        ("/v1/state", {**STATE, "source": {"kind": "mail"}}, "source.id"),
        ("/v1/state", [STATE], "body"),
        ("/v1/memory/episodic", {**EPISODE, "type": "dream"}, "type"),
        ("/v1/memory/episodic", {**EPISODE, "timestamp": "2024-01-01T00:00:00"}, "timestamp"),
        ("/v1/memory/episodic", {**EPISODE, "timestamp": 1700000000}, "timestamp"),
        ("/v1/memory/episodic", {**EPISODE, "metadata": ["x"]}, "metadata"),
        ("/v1/memory/episodic/batch", {"items": []}, "items"),
        ("/v1/memory/episodic/batch", {"items": [EPISODE] * 101}, "items"),
    ],
)
def test_a_broken_rule_is_400_and_names_its_field(api: Api, path: str, body: Any, field: str) -> None:
    response = api.request("POST", path, body)

    assert response.status_code == 400
    error = refusal(response)
    assert error["code"] == "VALIDATION_ERROR"
    assert field in {detail["field"] for detail in error["details"]}
    assert all(detail["rule"] for detail in error["details"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'"text"',
        b'{"agent_id":"a","data":{"x":NaN}}',
        b'{"agent_id":"a","data":{"x":-Infinity}}',
        b'{"agent_id":"a","agent_id":"b","data":{}}',
        b'{"agent_id":"a","data":{"x":"\\ud800"}}',
        b'{"agent_id":"a","data":' + b"[" * 101 + b"]" * 101 + b"}",
        b"[" * 200_000,
    ],
    ids=["empty", "cut off", "null", "text", "NaN", "infinity", "repeated key", "surrogate", "101 deep", "200k deep"],
)
def test_a_body_that_is_not_strict_json_is_400(api: Api, content: bytes) -> None:
    response = api.request("POST", "/v1/state", content=content, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert refusal(response)["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/png", ""])
def test_binary_and_broken_utf8_bodies_are_400(api: Api, content_type: str) -> None:
    for content in (bytes(range(256)), b'{"agent_id":"\xff\xfe","data":{}}'):
        response = api.request("POST", "/v1/state", content=content, headers={"content-type": content_type})
        assert response.status_code == 400
        assert refusal(response)["code"] == "VALIDATION_ERROR"


def test_a_good_body_is_taken_whatever_its_content_type_says(api: Api) -> None:
    body = json.dumps({"agent_id": f"a-{secrets.token_hex(4)}", "data": {"é": "🦊"}}).encode()
    for content_type in ("application/octet-stream", "text/plain", "application/json; charset=utf-8"):
        response = api.request("POST", "/v1/state", content=body, headers={"content-type": content_type})
        assert response.status_code == 201
        assert response.json()["data"]["data"] == {"é": "🦊"}


def test_base64_text_is_not_taken_for_json(api: Api) -> None:
    content = base64.b64encode(json.dumps(STATE).encode())

    assert api.request("POST", "/v1/state", content=content).status_code == 400


@pytest.mark.parametrize("megabytes", [3, 9])
@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_a_body_over_the_limit_is_413(api: Api, megabytes: int, content_type: str) -> None:
    content = json.dumps({"agent_id": "a", "data": {"x": "y" * (megabytes * 1_000_000)}}).encode()

    response = api.request("POST", "/v1/state", content=content, headers={"content-type": content_type})

    assert response.status_code == 413
    assert refusal(response)["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=ten",
        "order=random",
        "type=dream",
        "from=yesterday",
        "surprise=1",
        "limit=1&limit=2",
    ],
)
def test_a_bad_query_is_400_and_names_its_field(api: Api, query: str) -> None:
    response = api.request("GET", f"/v1/memory/episodic/a?{query}")

    assert response.status_code == 400
    assert refusal(response)["details"][0]["field"] == query.split("=", maxsplit=1)[0]


@pytest.mark.parametrize("segment", ["~", "~!", "~YQ", "~YQ==", "a%20b", "%F0%9F%A6%8A", "a%25b", "%FF", "a%00b"])
def test_an_id_in_a_path_has_one_spelling(api: Api, segment: str) -> None:
    response = api.request("GET", f"/v1/state/{segment}")

    assert response.status_code == 400
    assert refusal(response)["details"][0]["field"] == "agent_id"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/v1/nothing"), ("DELETE", "/v1/state"), ("POST", "/v1/health"), ("GET", "/v1/state/a/b/c")],
)
def test_an_unknown_route_is_our_404(api: Api, method: str, path: str) -> None:
    response = api.request(method, path)

    assert response.status_code == 404
    assert refusal(response)["code"] == "NOT_FOUND"


@pytest.mark.parametrize("key", ["x", "amk_", "amk_aaaaaaaaaaaaaaaa_" + "b" * 38, "🦊"])
def test_a_bad_key_is_our_401(stack: Stack, key: str) -> None:
    headers = [(b"Authorization", f"Bearer {key}".encode())]

    response = httpx.get(f"{stack.api_url}/v1/state/a", headers=headers, timeout=60)

    assert response.status_code == 401
    assert refusal(response)["code"] == "UNAUTHORIZED"


def test_a_changed_key_is_our_401(stack: Stack) -> None:
    key = stack.api_key
    for changed in (key[:-1] + ("A" if key[-1] != "A" else "B"), key[:-8], key + "A", key.swapcase()):
        response = httpx.get(f"{stack.api_url}/v1/state/a", headers={"Authorization": f"Bearer {changed}"}, timeout=60)
        assert response.status_code == 401


def test_a_missing_key_is_the_gateways_401(stack: Stack) -> None:
    response = httpx.get(f"{stack.api_url}/v1/state/a", timeout=60)

    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})


def test_an_overlong_idempotency_key_is_400(api: Api) -> None:
    response = api.request("POST", "/v1/state", STATE, headers={"Idempotency-Key": "k" * 256})

    assert response.status_code == 400
    assert refusal(response)["details"][0]["field"] == "Idempotency-Key"


def test_a_tenant_cannot_be_named_by_the_request(api: Api, other_tenant: Api) -> None:
    agent = f"a-{secrets.token_hex(4)}"
    headers = {"X-Tenant-Id": "globex", "tenant_id": "globex"}

    assert api.request("POST", "/v1/state", {"agent_id": agent, "data": {}}, headers=headers).status_code == 201
    assert api.request("POST", "/v1/state", {**STATE, "tenant_id": "globex"}).status_code == 400
    other_tenant.get(f"/v1/state/{agent}", expect=404)
