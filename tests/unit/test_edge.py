"""The edge: who may call, what is refused, and what comes back."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from agent_memory import errors
from agent_memory.bootstrap import readiness, records
from agent_memory.domain.database import StatementRefused
from tests.edge import Edge, functions

STATE = {"agent_id": "planner", "data": {"step": 1}}
SECRET = "hunter2"
STATUSES: list[tuple[Exception, int, str]] = [
    (errors.InvalidRequest.of("data", "must fit"), 400, "VALIDATION_ERROR"),
    (errors.Unauthorized("no"), 401, "UNAUTHORIZED"),
    (errors.Forbidden("no"), 403, "FORBIDDEN"),
    (errors.NotFound("no"), 404, "NOT_FOUND"),
    (errors.Conflict("no"), 409, "CONFLICT"),
    (errors.InProgress("no", retry_after_s=3), 409, "IN_PROGRESS"),
    (errors.PayloadTooLarge("no"), 413, "PAYLOAD_TOO_LARGE"),
    (errors.NoRoomInRecord("no"), 413, "PAYLOAD_TOO_LARGE"),
    (errors.RateLimited("vectors", 5, retry_after_s=3), 429, "RATE_LIMITED"),
    (errors.StoreUnavailable("no", retry_after_s=3), 503, "UNAVAILABLE"),
    (errors.BodyMissing("no"), 503, "UNAVAILABLE"),
    # What the database refuses is a bug of ours, never the caller's fault.
    (StatementRefused("42P01"), 500, "INTERNAL_ERROR"),
    (errors.AgentMemoryError(SECRET), 500, "INTERNAL_ERROR"),
    (RuntimeError(SECRET), 500, "INTERNAL_ERROR"),
    (RecursionError(SECRET), 500, "INTERNAL_ERROR"),
]


def raising(error: Exception) -> Callable[[], Any]:
    def build() -> Any:
        raise error

    return build


@pytest.mark.parametrize("key", [None, "a key"])
@pytest.mark.parametrize(("error", "status", "code"), STATUSES, ids=lambda each: type(each).__name__)
def test_each_error_has_its_status_code_and_envelope(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str, key: str | None
) -> None:
    monkeypatch.setattr(records, "working", raising(error))

    reply = edge.call("POST", "/v1/state", STATE, key=key)

    assert (reply.status, reply.error["code"]) == (status, code)
    assert set(reply.json["meta"]) == {"request_id", "latency_ms"}
    assert reply.headers["content-type"] == "application/json"
    assert SECRET not in str(reply)


def test_every_error_of_the_tree_is_one_of_those() -> None:
    tree = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}

    assert tree <= {type(error) for error, _, _ in STATUSES}


def test_an_error_that_refines_another_has_the_others_status(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    class Paused(errors.StoreUnavailable):
        """A kind of outage."""

    monkeypatch.setattr(records, "working", raising(Paused("no")))

    assert edge.call("POST", "/v1/state", STATE).status == 503


@pytest.mark.parametrize("error", [errors.InProgress("no", retry_after_s=3), errors.StoreUnavailable("no", 3)])
def test_what_may_be_tried_again_says_when(edge: Edge, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(records, "working", raising(error))

    assert edge.call("GET", "/v1/state/planner").headers["retry-after"] == "3"


@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": None}, {"lambda": {}}, {"lambda": {"tenant_id": ""}}])
def test_without_a_tenant_in_the_context_nothing_is_answered(edge: Edge, authorizer: Any) -> None:
    event = edge.event("POST", "/v1/state", STATE)
    event["requestContext"]["authorizer"] = authorizer

    assert edge.invoke(event)["statusCode"] == 401


def test_a_missing_authorizer_is_a_401(edge: Edge) -> None:
    event = edge.event("POST", "/v1/state", STATE)
    del event["requestContext"]["authorizer"]

    assert edge.invoke(event)["statusCode"] == 401


def test_a_key_without_the_scope_is_told_which_one(edge: Edge) -> None:
    edge.scopes = "write admin"

    reply = edge.call("GET", "/v1/state/planner")

    assert (reply.status, reply.error["details"]) == (403, {"scope": "read"})


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/state", "/v1/state/a/b/c", "/v1/memory/episodic"])
@pytest.mark.parametrize("key", [None, "k"])
def test_an_unknown_route_is_not_found_and_leaves_nothing_behind(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, path: str, key: str | None
) -> None:
    # The function behind it may not write, and its callers have no key.
    monkeypatch.setattr(records, "idempotency", raising(RuntimeError("a write")))

    reply = edge.call("PROPFIND", path, "{}", key=key)

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_health_touches_no_store(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "readiness", raising(RuntimeError("a store")))

    assert edge.call("GET", "/v1/health").data["status"] == "ok"


@pytest.mark.parametrize("function", sorted(set(functions().values())))
def test_a_function_serves_exactly_its_routes(function: str) -> None:
    import importlib  # noqa: PLC0415

    module = importlib.import_module(f"agent_memory.entrypoints.{function}")

    assert set(module.ROUTES) == {route for route, server in functions().items() if server == function}


@pytest.mark.parametrize("size", [2_500_000, 2_500_001])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_over_2_5_mb_is_too_large(edge: Edge, size: int, encoded: bool) -> None:
    head, tail = '{"agent_id":"planner","data":{"x":"', '"}}'
    text = head + "x" * (size - len(head) - len(tail)) + tail
    body = base64.b64encode(text.encode()).decode() if encoded else text

    reply = edge.call("POST", "/v1/state", body, isBase64Encoded=encoded)

    assert reply.status == (201 if size == 2_500_000 else 413)
    if reply.status == 413:
        assert reply.error["details"] == {"bytes": size, "limit": 2_500_000}


def test_the_size_of_a_body_is_counted_in_bytes(edge: Edge) -> None:
    assert edge.call("POST", "/v1/state", '"' + "é" * 1_250_000 + '"').status == 413


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"agent_id":"\xff"}', bytes(range(256)), b"PK\x03\x04", b"\x1f\x8b"])
def test_a_body_that_is_not_utf_8_is_refused(edge: Edge, body: bytes) -> None:
    reply = edge.call("POST", "/v1/state", base64.b64encode(body).decode(), isBase64Encoded=True)

    assert (reply.status, reply.error["details"][0]["field"]) == (400, "body")


@pytest.mark.parametrize("body", ["!", "YWJj=", "é", "YW Jj"])
def test_base64_that_cannot_be_read_is_refused(edge: Edge, body: str) -> None:
    assert edge.call("POST", "/v1/state", body, isBase64Encoded=True).status == 400


def test_base64_of_json_is_taken(edge: Edge) -> None:
    body = base64.b64encode(b'{"agent_id":"planner","data":{"x":1.0}}').decode()

    edge.call("POST", "/v1/state", body, isBase64Encoded=True)

    assert '"x":1.0' in str(edge.call("GET", "/v1/state/planner").text)


def test_a_missing_body_is_refused(edge: Edge) -> None:
    assert edge.call("POST", "/v1/state").status == 400
