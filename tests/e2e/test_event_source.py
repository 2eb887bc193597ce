"""The deployed archiver under the semantics that AWS documents, which the stand-in's own poller does not have."""

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest

from local import ministack
from local.stack import Stack
from tests.e2e import tiers
from tests.e2e.api import Api
from tests.faults import archiver_mapping


@pytest.fixture
def agent() -> str:
    return f"stream-{secrets.token_hex(4)}"


def test_the_mapping_is_what_the_fault_runs_drive(stack: Stack) -> None:
    deployed = tiers.mapping(stack)

    assumed = archiver_mapping.mapping(deployed.stream_arn, str(deployed.failed_bucket), window_s=deployed.window_s)

    assert {json.dumps(each, sort_keys=True) for each in deployed.patterns} == {
        json.dumps(each, sort_keys=True) for each in assumed.patterns
    }
    assert (
        replace(assumed, uuid=deployed.uuid, function_arn=deployed.function_arn, patterns=deployed.patterns) == deployed
    )


def test_a_record_that_cannot_be_read_is_given_up_alone_and_whole(stack: Stack, api: Api, agent: str) -> None:
    tenant_id = stack.tenants[0].tenant_id
    poisoned = {"pk": {"S": f"{tenant_id}#{agent}-poisoned#0"}, "sk": {"S": "EPISODE#never#0"}}

    with tiers.driven(stack) as under:
        _write(api, agent)
        tiers.client(stack).call("PutItem", {"TableName": stack.memory_table, "Item": poisoned})
        _write(api, agent)
        under.driver.drain()
    tiers.client(stack).call("DeleteItem", {"TableName": stack.memory_table, "Key": poisoned})

    assert sum(len(records) for records in _payloads(stack, under.given_up)) == 1
    assert _payloads(stack, under.given_up)[0][0]["dynamodb"]["Keys"] == poisoned
    noted = tiers.rows(stack, tenant_id, agent, "PENDING#")
    assert noted, "what stood beside it was taken"


def test_the_value_of_a_state_goes_when_its_time_is_over(stack: Stack, api: Api, agent: str) -> None:
    large = secrets.token_hex(600_000)

    with tiers.driven(stack) as under:
        api.post("/v1/state", {"agent_id": agent, "data": {"text": large}, "ttl_hours": 1}, expect=201)
        assert len(_bodies(stack, agent)) == 1
        under.driver.drain()
        assert len(_bodies(stack, agent)) == 1
        under.expiry.sweep()
        under.driver.drain()

    assert _bodies(stack, agent) == []


def test_the_value_that_another_took_the_place_of_goes(stack: Stack, api: Api, agent: str) -> None:
    with tiers.driven(stack) as under:
        for _ in range(2):
            api.post("/v1/state", {"agent_id": agent, "data": {"text": secrets.token_hex(600_000)}}, expect=201)
        under.driver.drain()

    (left,) = _bodies(stack, agent)
    found = api.get(f"/v1/state/{agent}")
    assert left in found["body_url"]


def _write(api: Api, agent: str) -> None:
    api.post(
        "/v1/memory/episodic",
        {"agent_id": agent, "session_id": "s", "type": "action", "content": "beside it"},
        expect=201,
    )


def _payloads(stack: Stack, keys: list[str]) -> list[list[dict[str, Any]]]:
    s3, bucket = ministack.client("s3", stack.aws_endpoint_url), tiers.mapping(stack).failed_bucket
    said = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    s3.close()
    return [json.loads(each["payload"])["Records"] for each in said]


def _bodies(stack: Stack, agent: str) -> list[str]:
    s3 = ministack.client("s3", stack.aws_endpoint_url)
    prefix = f"{stack.tenants[0].tenant_id}/{agent}/bodies/"
    versions = s3.list_object_versions(Bucket=stack.bucket, Prefix=prefix)
    s3.close()
    return [each["Key"] for each in versions.get("Versions", []) + versions.get("DeleteMarkers", [])]
