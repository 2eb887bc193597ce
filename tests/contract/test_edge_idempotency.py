"""A request that is sent again gets the first answer, over stores in memory and over DynamoDB."""

from typing import Any

import pytest

from tests.edge import Edge, Reply
from tests.fakes.clock import Clock

STATE: dict[str, Any] = {"agent_id": "planner", "data": {"x": 1}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 1}
BATCH = {"items": [EPISODE, {"broken": True}, EPISODE]}
WRITES: list[tuple[str, str, Any, int]] = [
    ("POST", "/v1/state", STATE, 201),
    ("PUT", "/v1/state/planner", {"data": {"x": 2}, "version": 1}, 200),
    ("PATCH", "/v1/state/planner", {"data": {"y": 2}}, 200),
    ("DELETE", "/v1/state/planner/default", None, 204),
    ("POST", "/v1/memory/episodic", EPISODE, 201),
    ("POST", "/v1/memory/episodic/batch", BATCH, 200),
    ("PUT", "/v1/state/planner", {"data": {}, "version": 7}, 409),
    ("PUT", "/v1/state/nobody", {"data": {}, "version": 1}, 404),
    ("DELETE", "/v1/state/nobody/default", None, 404),
    ("POST", "/v1/state", {"agent_id": ""}, 400),
    ("POST", "/v1/state", "{", 400),
    ("POST", "/v1/memory/episodic/batch", {"items": []}, 400),
]
each_write = pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    WRITES,
    ids=[f"{method} {path} {status}" for method, path, _, status in WRITES],
)


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    made.call("POST", "/v1/state", STATE)
    return made


def without_meta(reply: Reply) -> tuple[int, str]:
    return reply.status, str(reply.text).partition(',"meta"')[0]


def everything(api: Edge) -> list[str]:
    paths = ("/v1/state/planner", "/v1/memory/episodic/planner")
    return [without_meta(api.call("GET", path))[1] for path in paths]


@each_write
def test_a_repetition_gets_the_first_answer_and_changes_nothing(
    api: Edge, method: str, path: str, body: Any, status: int
) -> None:
    first = api.call(method, path, body, key="k")
    before = everything(api)
    again = api.call(method, path, body, key="k")

    assert first.status == status
    assert without_meta(again) == without_meta(first)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert everything(api) == before


@each_write
def test_the_same_key_with_another_body_is_a_conflict(
    api: Edge, method: str, path: str, body: Any, status: int
) -> None:
    api.call(method, path, body, key="k")
    before = everything(api)

    other = api.call(method, path, {"agent_id": "planner", "data": {"other": 1}, "version": 1}, key="k")

    assert (other.status, other.error["code"]) == (409, "CONFLICT")
    assert everything(api) == before


def test_the_same_key_for_another_record_is_a_conflict(api: Edge) -> None:
    body = {"data": {}, "version": 1}
    api.call("PUT", "/v1/state/planner", body, key="k")

    assert api.call("PUT", "/v1/state/critic", body, key="k").error["code"] == "CONFLICT"


def test_an_answer_is_remembered_for_24_hours(api: Edge, clock: Clock) -> None:
    for version, hours in ((2, 0), (2, 23.999), (3, 0.001)):
        clock.turn(hours=hours)

        assert api.call("POST", "/v1/state", STATE, key="k").data["version"] == version


def test_a_refusal_is_remembered_even_when_it_would_not_be_one_now(api: Edge) -> None:
    body = {"data": {}, "version": 2}
    assert api.call("PUT", "/v1/state/planner", body, key="k").status == 409
    api.call("POST", "/v1/state", STATE)

    assert api.call("PUT", "/v1/state/planner", body, key="k").status == 409
    assert api.call("PUT", "/v1/state/planner", body, key="another").status == 200


def test_a_read_ignores_a_key(api: Edge) -> None:
    for key in ("k", "k", "", "x" * 256):
        assert api.call("GET", "/v1/state/planner", key=key).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_of_no_or_too_many_characters_is_refused(api: Edge, key: str) -> None:
    reply = api.call("POST", "/v1/state", STATE, key=key)

    assert (reply.status, reply.error["details"][0]["field"]) == (400, "Idempotency-Key")
    assert api.call("GET", "/v1/state/planner").data["version"] == 1


def test_tenants_have_keys_of_their_own(api: Edge) -> None:
    first = api.call("POST", "/v1/state", STATE, key="k")
    api.tenant_id += "-2"

    assert (first.data["version"], api.call("POST", "/v1/state", STATE, key="k").data["version"]) == (2, 1)
