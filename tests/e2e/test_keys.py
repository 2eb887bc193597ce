"""API keys over HTTP, as a tenant's own administrator has them."""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.times import format_time
from local.stack import Stack
from tests.e2e.api import Api, wait_until
from tests.e2e.conftest import admin
from tests.e2e.test_keys_and_health import status

# The gateway keeps what the authorizer said for 60 s; the rest is for a slow machine.
STATED_S = 75


@pytest.fixture
def own(stack: Stack) -> Iterator[Api]:
    """An administrator of a tenant that nobody else is."""
    made = admin(stack, "keys", "create", "--tenant", f"keys-{secrets.token_hex(6)}", "--scopes", "admin")
    with closing(Api(stack.api_url, made["api_key"])) as client:
        yield client


def create(own: Api, **fields: Any) -> Any:
    return own.post("/v1/keys", {"scopes": ["read"], **fields}, 201)


def listed(own: Api) -> dict[str, Any]:
    return {key["key_id"]: key for key in own.get("/v1/keys")["keys"]}


def test_revoked_and_expired_keys_stop_within_the_stated_time_and_the_others_go_on(own: Api, stack: Stack) -> None:
    revoked, replacement = create(own, label="old"), create(own, label="new")
    expiring = create(own, expires_at=format_time(datetime.now(UTC) + timedelta(seconds=20)))
    assert [status(stack, key["api_key"]) for key in (revoked, replacement, expiring)] == [404] * 3

    own.delete(f"/v1/keys/{revoked['key_id']}")

    wait_until(lambda: status(stack, revoked["api_key"]) == 401, STATED_S)
    wait_until(lambda: status(stack, expiring["api_key"]) == 401, STATED_S)
    assert status(stack, replacement["api_key"]) == 404
    shown = listed(own)
    assert [shown[key["key_id"]]["is_live"] for key in (revoked, replacement, expiring)] == [False, True, False]


def test_a_key_does_what_its_scopes_say(own: Api, stack: Stack) -> None:
    reader, eraser = create(own)["api_key"], create(own, scopes=["erase"])["api_key"]

    for key, expected in ((reader, [404, 403, 403]), (eraser, [403, 200, 403])):
        routes = [("GET", "/v1/state/nobody"), ("DELETE", "/v1/memory/nobody"), ("GET", "/v1/keys")]
        assert [status(stack, key, method, path) for method, path in routes] == expected


def test_a_key_is_shown_once_and_its_use_is_seen(own: Api, stack: Stack) -> None:
    made = create(own)
    assert made["last_used_at"] is None
    status(stack, made["api_key"])

    shown = own.get("/v1/keys")

    assert made["api_key"] not in json.dumps(shown)
    assert "hash" not in json.dumps(shown)
    assert listed(own)[made["key_id"]]["last_used_at"] is not None


def test_another_tenants_keys_can_neither_be_seen_nor_revoked(own: Api, api: Api, stack: Stack) -> None:
    made = create(own)

    assert made["key_id"] not in listed(api)
    assert api.delete(f"/v1/keys/{made['key_id']}", 404) == api.delete("/v1/keys/0123456789abcdef", 404)
    assert status(stack, made["api_key"]) == 404


def test_a_repetition_makes_one_key(own: Api) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answers = [own.request("POST", "/v1/keys", {"scopes": ["read"]}, headers=headers) for _ in range(2)]

    first, again = (answer.json()["data"] for answer in answers)
    assert again == first | {"api_key": None}
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert first["key_id"] in listed(own)


def test_an_operator_can_give_an_old_key_an_end(own: Api, stack: Stack) -> None:
    made = create(own)

    admin(stack, "keys", "expire", "--key-id", made["key_id"], "--in-hours", "24")

    assert listed(own)[made["key_id"]]["expires_at"] is not None
    assert status(stack, made["api_key"]) == 404
