"""The deployed way into the archive: the stand-in's own poller hands the stream to the archiver, as Terraform says."""

import base64
import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from agent_memory.domain.times import format_time
from local import ministack
from local.stack import Stack
from tests.e2e import tiers
from tests.e2e.api import Api, wait_until

COUNT = 300
_PATIENCE_S = 120


@pytest.fixture(scope="module")
def agent() -> str:
    return f"archive-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def written(api: Api, stack: Stack, agent: str) -> list[str]:
    """Ids of more episodes than fit into one object, from the oldest on: of an hour that is days ago, and archived."""
    ids: list[str] = []
    for start in range(0, COUNT, 100):
        items = [_item(agent, place) for place in range(start, start + 100)]
        results = api.post("/v1/memory/episodic/batch", {"items": items})["results"]
        ids += [result["data"]["id"] for result in results]
    tenant_id = stack.tenants[0].tenant_id

    def archived() -> int:
        return sum(int(row["count"]["N"]) for row in tiers.rows(stack, tenant_id, agent, "OBJECT#"))

    wait_until(lambda: archived() >= COUNT // 2, _PATIENCE_S)
    return ids


def _item(agent: str, place: int) -> dict[str, Any]:
    dice = random.Random(place)  # noqa: S311 - content that does not compress
    at = datetime.now(UTC) - timedelta(days=3) + timedelta(seconds=place)
    content = {"text": base64.b64encode(dice.randbytes(7_000)).decode(), "place": place}
    said = {"agent_id": agent, "session_id": f"s{place % 3}", "type": "action", "content": content}
    return {**said, "timestamp": format_time(at)}


def walk(api: Api, agent: str, order: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/memory/episodic/{agent}?order={order}&limit=50{cursor}")
        found += page["episodes"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={quote(page['next_cursor'], safe='')}"


def test_objects_are_full_and_named_by_what_they_hold(stack: Stack, agent: str, written: list[str]) -> None:
    tenant_id = stack.tenants[0].tenant_id
    rows = tiers.rows(stack, tenant_id, agent, "OBJECT#")
    s3 = ministack.client("s3", stack.aws_endpoint_url)

    for row in rows:
        key = row["object_key"]["S"]
        assert key.startswith(f"{tenant_id}/{agent}/20")
        assert int(row["size"]["N"]) >= 128 * 1024
        assert s3.head_object(Bucket=stack.bucket, Key=key)["ContentLength"] == int(row["size"]["N"])
    s3.close()


def test_the_whole_timeline_is_read_when_the_table_has_let_go_of_what_was_archived(
    stack: Stack, api: Api, agent: str, written: list[str]
) -> None:
    before = walk(api, agent, "oldest")
    assert [each["id"] for each in before] == written

    tiers.expiry(stack).sweep()

    archived = sum(int(row["count"]["N"]) for row in tiers.rows(stack, stack.tenants[0].tenant_id, agent, "OBJECT#"))
    assert _in_the_table(stack, agent) == len(written) - archived
    assert walk(api, agent, "oldest") == before
    assert walk(api, agent, "newest") == before[::-1]


def _in_the_table(stack: Stack, agent: str) -> int:
    request = {
        "TableName": stack.memory_table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
        "ExpressionAttributeValues": {
            ":pk": {"S": f"{stack.tenants[0].tenant_id}#{agent}#0"},
            ":kind": {"S": "EPISODE#"},
        },
        "Select": "COUNT",
    }
    client, count = tiers.client(stack), 0
    while True:
        page = client.call("Query", request)
        count += page["Count"]
        if "LastEvaluatedKey" not in page:
            return int(count)
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
