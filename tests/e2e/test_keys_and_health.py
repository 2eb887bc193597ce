"""API keys through the operator's command, health, and what a crash looks like from outside."""

import json
from collections.abc import Iterator
from contextlib import closing

import boto3
import httpx
import pytest

from local.stack import Stack
from tests.e2e.api import Api, wait_until
from tests.e2e.conftest import admin


def status(stack: Stack, key: str, method: str = "GET", path: str = "/v1/state/nobody") -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.request(method, stack.api_url + path, headers=headers, timeout=60).status_code


def test_a_key_works_until_it_is_revoked_and_at_most_a_minute_longer(stack: Stack) -> None:
    made = admin(stack, "keys", "create", "--tenant", "acme", "--label", "short-lived", "--scopes", "read")
    assert status(stack, made["api_key"]) == 404

    admin(stack, "keys", "revoke", "--key-id", made["key_id"])

    wait_until(lambda: status(stack, made["api_key"]) == 401, seconds=75)
    listed = {key["key_id"]: key for key in admin(stack, "keys", "list", "--tenant", "acme")}
    assert listed[made["key_id"]]["label"] == "short-lived"
    assert listed[made["key_id"]]["revoked_at"] is not None
    assert made["api_key"] not in json.dumps(listed)


def test_a_key_is_good_for_its_scopes_only(stack: Stack) -> None:
    key = admin(stack, "keys", "create", "--tenant", "acme", "--scopes", "read")["api_key"]

    response = httpx.post(
        f"{stack.api_url}/v1/state",
        headers={"Authorization": f"Bearer {key}"},
        json={"agent_id": "a", "data": {}},
        timeout=60,
    )

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert status(stack, key, path="/v1/health/ready") == 403
    assert status(stack, key) == 404


def test_keys_of_one_tenant_are_listed_for_that_tenant_only(stack: Stack) -> None:
    acme = {key["key_id"] for key in admin(stack, "keys", "list", "--tenant", "acme")}
    globex = {key["key_id"] for key in admin(stack, "keys", "list", "--tenant", "globex")}

    assert acme
    assert globex
    assert not acme & globex


def test_health_is_open_and_says_only_that_the_api_runs(stack: Stack) -> None:
    answer = httpx.get(f"{stack.api_url}/v1/health", timeout=60)

    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "ok")


def test_readiness_names_every_store(api: Api) -> None:
    ready = api.get("/v1/health/ready")

    assert set(ready["stores"]) == {"memory_table", "control_table", "archive_bucket", "database"}
    assert all(store["state"] == "ok" and store["latency_ms"] >= 0 for store in ready["stores"].values())
    assert ready["stores"]["database"]["schema_version"] >= 1


@pytest.fixture
def broken_function(stack: Stack) -> Iterator[None]:
    """The working-memory function without one of its settings, as after a mistake in a deployment."""
    client = boto3.client(
        "lambda",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with closing(client):
        (name,) = [f["FunctionName"] for f in client.list_functions()["Functions"] if "working" in f["FunctionName"]]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        broken = {key: value for key, value in variables.items() if key != "MEMORY_TABLE"}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
        yield
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


@pytest.mark.usefixtures("broken_function")
def test_a_handler_that_crashes_answers_our_500_and_never_the_exception(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    url = f"{stack.api_url}/v1/state/nobody"
    wait_until(lambda: httpx.get(url, headers=headers, timeout=60).status_code != 404, seconds=30)

    answer = httpx.get(url, headers=headers, timeout=60)

    assert answer.status_code == 500
    assert answer.json()["error"] == {"code": "INTERNAL_ERROR", "message": "an unexpected error"}
    assert "MEMORY_TABLE" not in answer.text
    assert "RuntimeError" not in answer.text
