"""What callers see of API keys, over stores in memory and over DynamoDB."""

from typing import Any

import pytest

from agent_memory.adapters import ssm
from agent_memory.bootstrap import tenants
from tests.edge import Edge, Reply
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

PARAMETER = "/agent-memory/edge/pepper"


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    if request.param == "deployed":
        client = aws.client(ssm.make_client)
        parameter = {"Name": PARAMETER, "Value": "0123456789abcdef" * 4, "Type": "SecureString", "Overwrite": True}
        client.call("PutParameter", parameter)
        client._close()
        monkeypatch.setenv("PEPPER_PARAMETER", PARAMETER)
    made.scopes = "admin"
    return made


def create(api: Edge, key: str | None = None, **fields: Any) -> Reply:
    return api.call("POST", "/v1/keys", {"scopes": ["read"], **fields}, key=key)


def listed(api: Edge) -> dict[str, Any]:
    data = api.call("GET", "/v1/keys").data
    assert data["next_cursor"] is None
    return {key["key_id"]: key for key in data["keys"]}


def who(key: str) -> Any:
    return tenants.api_keys().identify(f"Bearer {key}")


def test_a_key_is_made_shown_once_listed_and_revoked(api: Edge) -> None:
    made = create(api, label="läptop #1", scopes=["write", "read", "write"])
    key = made.data["api_key"]

    assert (made.status, made.data["scopes"], made.data["is_live"]) == (201, ["write", "read"], True)
    assert (who(key).tenant_id, who(key).scopes) == (api.tenant_id, ("write", "read"))
    shown = api.call("GET", "/v1/keys")
    assert key not in str(shown.text)
    assert "hash" not in str(shown.text)
    assert listed(api)[made.data["key_id"]] == {name: made.data[name] for name in made.data if name != "api_key"}

    for _ in range(2):
        assert api.call("DELETE", f"/v1/keys/{made.data['key_id']}").status == 204
    assert who(key) is None
    dead = listed(api)[made.data["key_id"]]
    assert (dead["is_live"], dead["revoked_at"]) == (False, "2026-11-20T09:30:00.000000Z")


def test_an_admin_key_may_grant_every_scope(api: Edge) -> None:
    made = create(api, scopes=["read", "write", "erase", "admin"])

    assert who(made.data["api_key"]).scopes == ("read", "write", "erase", "admin")


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/keys"), ("GET", "/v1/keys"), ("DELETE", "/v1/keys/x")])
def test_without_the_scope_admin_nobody_reaches_keys(api: Edge, method: str, path: str) -> None:
    api.scopes = "read write erase"

    assert api.call(method, path, {"scopes": ["read"]} if method == "POST" else None).status == 403


def test_another_tenants_key_is_as_absent_as_none(api: Edge) -> None:
    mine = create(api).data
    other = Edge(f"{api.tenant_id}-2", "admin")

    theirs = other.call("DELETE", f"/v1/keys/{mine['key_id']}")
    nobodys = other.call("DELETE", "/v1/keys/0123456789abcdef")

    assert (theirs.status, theirs.error) == (nobodys.status, nobodys.error)
    assert theirs.status == 404
    assert listed(other) == {}
    assert who(mine["api_key"]) is not None


def test_a_key_ends_when_its_request_says(api: Edge, clock: Clock) -> None:
    days = create(api, expires_in_days=2).data
    at = create(api, expires_at="2026-11-20T10:30:00Z").data
    assert days["expires_at"] == "2026-11-22T09:30:00.000000Z"

    clock.turn(hours=1)
    assert who(at["api_key"]) is None
    assert listed(api)[at["key_id"]]["is_live"] is False
    assert who(days["api_key"]) is not None
    clock.turn(days=2)
    assert who(days["api_key"]) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": "read"}, "scopes"),
        ({"label": "x" * 201}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 3651}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": "2026-12-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-11-20T09:30:00Z"}, "expires_at"),
        ({"expires_at": "2126-11-20T09:30:00Z"}, "expires_at"),
        ({"tenant_id": "globex"}, "tenant_id"),
        ({"key_id": "x"}, "key_id"),
    ],
)
def test_a_key_that_cannot_be_is_refused(api: Edge, fields: dict[str, Any], field: str) -> None:
    reply = create(api, **fields)

    assert (reply.status, reply.error["details"][0]["field"]) == (400, field)
    assert listed(api) == {}


def test_a_list_takes_no_parameters(api: Edge) -> None:
    assert api.call("GET", "/v1/keys?tenant_id=globex").status == 400


def test_a_repetition_makes_no_second_key_and_is_not_told_the_secret(api: Edge) -> None:
    first = create(api, key="k")
    again = create(api, key="k")

    assert again.headers["idempotency-replayed"] == "true"
    assert again.data == first.data | {"api_key": None}
    assert set(listed(api)) == {first.data["key_id"]}
    assert create(api, key="k", label="other").status == 409


def test_a_revocation_that_is_sent_again_hears_its_first_answer(api: Edge) -> None:
    path = f"/v1/keys/{create(api).data['key_id']}"
    assert api.call("DELETE", path, key="k").status == 204

    again = api.call("DELETE", path, key="k")

    assert (again.status, again.headers["idempotency-replayed"]) == (204, "true")
    assert api.call("DELETE", "/v1/keys/0123456789abcdef", key="k").status == 409


def test_a_refused_revocation_is_remembered_too(api: Edge) -> None:
    for _ in range(2):
        reply = api.call("DELETE", "/v1/keys/0123456789abcdef", key="k")
        assert reply.status == 404
    assert reply.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("path", ["KEY", "a%23b", "~I0tFWSM"])
def test_an_id_that_no_key_has_reaches_nothing_else(api: Edge, path: str) -> None:
    assert api.call("DELETE", f"/v1/keys/{path}").status in {400, 404}


def test_the_last_use_is_shown(api: Edge) -> None:
    made = create(api).data
    assert made["last_used_at"] is None

    tenants.api_keys().note_use(who(made["api_key"]))

    assert listed(api)[made["key_id"]]["last_used_at"] == "2026-11-20T09:30:00.000000Z"


def test_requests_about_keys_count_and_are_limited(api: Edge) -> None:
    api.limits = type(api.limits)(requests_per_second=2)

    assert [api.call("GET", "/v1/keys").status for _ in range(3)] == [200, 200, 429]
