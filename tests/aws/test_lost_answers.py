"""A write whose answer was lost is neither refused as somebody else's nor made twice."""

from typing import Any

import pytest

from agent_memory.adapters.dynamodb_api_keys import DynamoApiKeyStore
from agent_memory.adapters.dynamodb_usage import DynamoUsageStore
from agent_memory.bootstrap import clients, tenants
from agent_memory.errors import StoreUnavailable
from agent_memory.service.keys import ApiKeys
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fakes.control import RotatingPepper
from tests.faults import Fault, FaultyService
from tests.fix_aws import Aws

STATE: dict[str, Any] = {"agent_id": "planner", "data": {"step": 1}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 1}
LOST: Fault = "lose request"
KEYS = pytest.mark.parametrize("key", [None, "k"], ids=["without key", "with key"])


def lose(service: FaultyService, operation: str, key: str | None) -> None:
    service.plan(operation if key is None else "TransactWriteItems", "lose answer")


@KEYS
def test_a_first_post_is_version_one(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    lose(service, "PutItem", key)

    assert unreliable.call("POST", "/v1/state", STATE, key=key).data["version"] == 1
    assert unreliable.call("GET", "/v1/state/planner").data["version"] == 1


@KEYS
def test_a_post_over_a_record_increments_once(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    unreliable.call("POST", "/v1/state", STATE)
    service.plan("PutItem" if key is None else "TransactWriteItems", *[(400, {"__type": "x#ThrottlingException"})])
    lose(service, "PutItem", key)

    unreliable.call("POST", "/v1/state", STATE, key=key)

    assert unreliable.call("GET", "/v1/state/planner").data["version"] == 2


@KEYS
def test_a_put_is_no_conflict_with_itself(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    unreliable.call("POST", "/v1/state", STATE)
    lose(service, "UpdateItem", key)

    reply = unreliable.call("PUT", "/v1/state/planner", {"data": {"step": 2}, "version": 1}, key=key)

    assert (reply.data["version"], reply.data["data"]) == (2, {"step": 2})
    assert unreliable.call("GET", "/v1/state/planner").data == reply.data


@KEYS
def test_a_patch_is_applied_once(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    unreliable.call("POST", "/v1/state", STATE)
    lose(service, "PutItem", key)

    reply = unreliable.call("PATCH", "/v1/state/planner", {"data": {"b": 1}}, key=key)

    assert reply.data["version"] == unreliable.call("GET", "/v1/state/planner").data["version"] == 2


@KEYS
def test_a_delete_is_not_told_that_nothing_was_there(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    unreliable.call("POST", "/v1/state", STATE)
    lose(service, "DeleteItem", key)

    assert unreliable.call("DELETE", "/v1/state/planner/default", key=key).status == 204
    assert unreliable.call("GET", "/v1/state/planner").status == 404


@KEYS
def test_an_episode_is_written_once(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    lose(service, "BatchWriteItem", key)

    written = unreliable.call("POST", "/v1/memory/episodic", EPISODE, key=key)

    found = unreliable.call("GET", "/v1/memory/episodic/planner").data["episodes"]
    assert [each["id"] for each in found] == [written.data["id"]]


@KEYS
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_service_that_stays_away_is_a_503_and_says_when_to_come_back(
    unreliable: Edge, service: FaultyService, method: str, key: str | None
) -> None:
    unreliable.call("POST", "/v1/state", STATE)
    for operation in ("PutItem", "UpdateItem", "TransactWriteItems"):
        service.plan(operation, *[LOST] * 8)  # four of them meet what is tried first, to count the request
    path, body = ("/v1/state", STATE) if method == "POST" else ("/v1/state/planner", {"data": {}, "version": 1})

    reply = unreliable.call(method, path, body, key=key)

    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    assert unreliable.call("GET", "/v1/state/planner").data["version"] == 1


@KEYS
def test_a_key_whose_making_was_not_heard_of_is_told_all_the_same(
    unreliable: Edge, service: FaultyService, aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    keys = ApiKeys(DynamoApiKeyStore(clients.dynamodb(), aws.control_table), RotatingPepper(), clock)
    monkeypatch.setattr(tenants, "api_keys", lambda: keys)
    unreliable.scopes = "admin"
    lose(service, "PutItem", key)

    made = unreliable.call("POST", "/v1/keys", {"scopes": ["read"]}, key=key)

    assert made.data["api_key"].startswith(f"amk_{made.data['key_id']}_")
    assert [each["key_id"] for each in unreliable.call("GET", "/v1/keys").data["keys"]] == [made.data["key_id"]]


def test_nothing_is_taken_off_a_counter_twice(aws: Aws, service: FaultyService) -> None:
    store = DynamoUsageStore(Aws(service.endpoint).client(), aws.control_table)
    store.add("acme", {"dynamo_bytes": 100})
    service.plan("UpdateItem", "lose answer")

    with pytest.raises(StoreUnavailable):
        store.add("acme", {"dynamo_bytes": -40})

    assert store.get("acme")["dynamo_bytes"] == 60
