"""Batch calls of DynamoDB may do half of their work; we ask for the rest."""

import base64
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


class HalfHearted:
    """A client whose batch calls leave a part undone, as often as told."""

    def __init__(self, client: AwsJsonClient, times: int) -> None:
        self._client = client
        self._times = times

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if not operation.startswith("Batch") or self._times == 0:
            return self._client.call(operation, request)
        self._times -= 1
        ((table, asked),) = request["RequestItems"].items()
        entries = asked if isinstance(asked, list) else asked["Keys"]
        done, left = entries[: len(entries) // 2], entries[len(entries) // 2 :]
        if isinstance(asked, list):
            answer = self._client.call(operation, {"RequestItems": {table: done}}) if done else {}
            return answer | {"UnprocessedItems": {table: left}}
        answer = self._client.call(operation, {"RequestItems": {table: asked | {"Keys": done}}}) if done else {}
        return answer | {"UnprocessedKeys": {table: {"Keys": left}}}


@pytest.fixture
def client(aws: Aws) -> Iterator[AwsJsonClient]:
    made = aws.client()
    yield made
    made._close()


def some(tenant: str, count: int) -> list[dict[str, Any]]:
    return [{"pk": {"S": tenant}, "sk": {"S": f"{number:03}"}, "n": {"N": str(number)}} for number in range(count)]


def keys(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"pk": item["pk"], "sk": item["sk"]} for item in items]


@pytest.mark.parametrize("count", [0, 1, 25, 26, 101, 130])
@pytest.mark.parametrize("times", [0, 4])
def test_every_item_is_written_and_read(client: AwsJsonClient, tenant: str, count: int, times: int) -> None:
    items: Any = some(tenant, count)

    assert dynamodb.put_all(HalfHearted(client, times), "memory", items) == [True] * count  # type: ignore[arg-type]
    found = dynamodb.get_all(HalfHearted(client, times), "memory", keys(items))  # type: ignore[arg-type]

    assert sorted(found.values(), key=lambda item: str(item["sk"])) == items


def test_what_stays_undone_is_reported_item_by_item(client: AwsJsonClient, tenant: str) -> None:
    items = some(tenant, 30)

    durable = dynamodb.put_all(HalfHearted(client, 6), "memory", items)  # type: ignore[arg-type]

    found = dynamodb.get_all(client, "memory", keys(items))
    assert 0 < durable.count(False) < 30
    assert durable == [(tenant, item["sk"]["S"]) in found for item in items]


def test_a_read_that_stays_half_done_is_unavailable(client: AwsJsonClient, tenant: str) -> None:
    with pytest.raises(StoreUnavailable):
        dynamodb.get_all(HalfHearted(client, 6), "memory", keys(some(tenant, 30)))  # type: ignore[arg-type]


def test_data_that_has_no_room_beside_what_stands_there_is_kept_elsewhere(deployed: Edge, s3: "S3Client") -> None:
    noise = [base64.b64encode(os.urandom(190_000)).decode() for _ in range(3)]
    deployed.call("POST", "/v1/state", {"agent_id": "planner", "data": {}, "metadata": {"noise": noise[0]}})

    kept = deployed.call("PUT", "/v1/state/planner", {"data": {"noise": noise[1:]}, "version": 1})
    refused = deployed.call("PUT", "/v1/state/planner", {"data": {}, "version": 2, "metadata": {"noise": noise}})

    assert (kept.status, kept.data["data"], refused.status) == (200, {"noise": noise[1:]}, 413)
    assert deployed.call("GET", "/v1/state/planner").data == kept.data
    assert s3.list_objects_v2(Bucket="archive")["KeyCount"] == 1


@pytest.mark.parametrize("version", [2**53 - 1])
def test_the_largest_version_can_be_compared(deployed: Edge, version: int) -> None:
    deployed.call("POST", "/v1/state", {"agent_id": "planner", "data": {}})

    assert deployed.call("PUT", "/v1/state/planner", {"data": {}, "version": version}).status == 409


def test_what_was_stored_before_the_store_failed_counts_as_stored(client: AwsJsonClient, tenant: str) -> None:
    class Dying(HalfHearted):
        """Leaves half undone, then answers no more."""

        def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
            if self._times == 0:
                raise StoreUnavailable("dynamodb did not answer")
            return super().call(operation, request)

    durable = dynamodb.put_all(Dying(client, 1), "memory", some(tenant, 30))  # type: ignore[arg-type]

    assert durable == [True] * 12 + [False] * 18
    assert len(dynamodb.get_all(client, "memory", keys(some(tenant, 30)))) == 12
