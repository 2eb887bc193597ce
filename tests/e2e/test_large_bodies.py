"""Large values over HTTP, on the stack that Terraform built: byte for byte, whatever their size and way in."""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from agent_memory.adapters.dynamodb_item import owned_by
from agent_memory.domain.bodies import MAX_INLINE_ANSWER_BYTES, name_of
from agent_memory.domain.json_document import dumps
from local import ministack
from local.stack import Stack
from tests.e2e.api import Api
from tests.e2e.conftest import dynamodb
from tests.fakes.bodies import incompressible

SIZES = [399_000, 400_000, 401_000, 600_000, 2_400_000]
UPLOADED = [5_000_000, 50_000_000]
EPISODE = {"session_id": "s", "type": "action"}


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(6)}"


@pytest.fixture
def archive(stack: Stack) -> Iterator[Any]:
    """The bucket as an operator sees it."""
    with closing(ministack.client("s3", stack.aws_endpoint_url)) as client:
        yield client


def bodies(archive: Any, stack: Stack, agent: str) -> list[str]:
    prefix = f"{stack.tenants[0].tenant_id}/{agent}/bodies/"
    return [
        each["Key"] for each in archive.list_object_versions(Bucket=stack.bucket, Prefix=prefix).get("Versions", [])
    ]


def behind(response: Any) -> bytes:
    content = httpx.get(response["body_url"], timeout=120, trust_env=False).raise_for_status().content
    assert (response["sha256"], response["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    return content


def upload(api: Api, content: bytes) -> str:
    new = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    announced = api.post("/v1/uploads", new, expect=201)
    httpx.put(announced["url"], content=content, timeout=240, trust_env=False).raise_for_status()
    return str(announced["upload_id"])


def same(response: Any, name: str, value: Any) -> bool:
    if len(dumps(value)) <= MAX_INLINE_ANSWER_BYTES:
        return bool(response[name] == value)
    assert response[name] is None
    return behind(response) == dumps(value).encode()


@pytest.mark.parametrize("size", SIZES)
def test_large_values_come_back_byte_for_byte(api: Api, agent: str, size: int) -> None:
    value = {"x": incompressible(size - 8, size)}
    for path in ("/v1/state", "/v1/memory"):
        assert same(api.post(path, {"agent_id": agent, "data": value}, expect=201), "data", value)
    for path in ("/v1/memory/episodic", "/v1/memory"):
        made = api.post(path, {**EPISODE, "agent_id": agent, "content": value}, expect=201)
        assert same(made, "content", value)

    assert same(api.get(f"/v1/state/{agent}"), "data", value)
    walked = [api.get(f"/v1/memory/episodic/{agent}")["episodes"][0]]
    walked += api.get(f"/v1/memory/episodic/{agent}/sessions/s?limit=1")["episodes"]
    assert [same(each, "content", value) for each in walked] == [True, True]
    seen = api.get(f"/v1/memory/{agent}")
    assert same(seen["state"], "data", value)
    assert same(seen["episodic"][0], "content", value)


@pytest.mark.parametrize("size", UPLOADED)
def test_uploads_come_back_byte_for_byte(api: Api, agent: str, size: int) -> None:
    content = secrets.token_bytes(1_000_000) * (size // 1_000_000)
    upload_id = upload(api, content)

    made = [
        api.post("/v1/state", {"agent_id": agent, "upload_id": upload_id}, expect=201),
        api.get(f"/v1/state/{agent}"),
        api.post("/v1/memory/episodic", {**EPISODE, "agent_id": agent, "upload_id": upload_id}, expect=201),
        api.get(f"/v1/memory/episodic/{agent}")["episodes"][0],
    ]
    for response in made:
        assert (response["sha256"], response["bytes"]) == (hashlib.sha256(content).hexdigest(), size)
    assert [behind(each) == content for each in made[1::2]] == [True, True]


def test_an_upload_goes_in_by_every_way_that_a_value_does(api: Api, agent: str) -> None:
    content = secrets.token_bytes(1000)
    upload_id = upload(api, content)
    item = {**EPISODE, "agent_id": agent, "upload_id": upload_id}
    ways: list[Callable[[], dict[str, Any]]] = [
        lambda: api.post("/v1/memory", {"agent_id": agent, "upload_id": upload_id}, expect=201),
        lambda: api.put(f"/v1/state/{agent}", {"upload_id": upload_id, "version": 1}),
        lambda: api.post("/v1/memory", item, expect=201),
        lambda: api.post("/v1/memory/episodic/batch", {"items": [item]})["results"][0]["data"],
    ]

    # One after the other: what the second takes the place of is soon gone.
    assert [behind(way()) == content for way in ways] == [True] * 4
    refused = api.patch(f"/v1/state/{agent}", {"data": {}}, expect=409)
    assert "uploaded" in refused["message"]


def test_an_upload_that_is_not_there_or_not_ones_own_is_refused(api: Api, other_tenant: Api, agent: str) -> None:
    content = secrets.token_bytes(1000)
    nothing = api.post("/v1/uploads", {"bytes": 1, "sha256": "0" * 64}, expect=201)["upload_id"]
    theirs, wrong = upload(other_tenant, content), api.post("/v1/uploads", {"bytes": 4, "sha256": "0" * 64}, expect=201)
    httpx.put(wrong["url"], content=b"four", trust_env=False).raise_for_status()

    for upload_id, status in ((nothing, 409), (wrong["upload_id"], 409), (theirs, 404), ("unknown", 404)):
        for path, fields in (("/v1/state", {}), ("/v1/memory/episodic", EPISODE)):
            api.post(path, {"agent_id": agent, "upload_id": upload_id, **fields}, expect=status)
    assert (
        api.post("/v1/uploads", {"bytes": 100_000_001, "sha256": "0" * 64}, expect=413)["code"] == "PAYLOAD_TOO_LARGE"
    )


def test_a_link_is_good_for_one_tenants_objects(api: Api, stack: Stack, agent: str) -> None:
    made = api.post("/v1/state", {"agent_id": agent, "data": {"x": incompressible(1_100_000)}}, expect=201)
    first, second = (tenant.tenant_id for tenant in stack.tenants[:2])

    assert httpx.get(made["body_url"].replace(first, second), trust_env=False).status_code == 403
    assert json.loads(behind(made))["x"] == incompressible(1_100_000)


def test_refused_and_repeated_writes_leave_no_body_behind(api: Api, stack: Stack, archive: Any, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {}}, expect=201)
    large = {"x": incompressible(700_000)}
    api.put(f"/v1/state/{agent}", {"data": large, "version": 7}, expect=409)
    assert bodies(archive, stack, agent) == []

    for path, body in (
        ("/v1/memory/episodic", {**EPISODE, "agent_id": agent, "content": large}),
        ("/v1/memory", {**EPISODE, "agent_id": agent, "content": large}),
        ("/v1/memory", {"agent_id": agent, "session_id": "t", "data": large}),
    ):
        key = {"Idempotency-Key": secrets.token_hex(8)}
        first, again = (api.request("POST", path, body, headers=key) for _ in range(2))
        assert (first.json()["data"], again.headers["idempotency-replayed"]) == (again.json()["data"], "true")
    assert len(bodies(archive, stack, agent)) == 3


def test_a_body_names_the_record_that_owns_it(api: Api, stack: Stack, archive: Any, agent: str) -> None:
    api.post("/v1/state", {"agent_id": agent, "data": {"x": incompressible(700_000)}}, expect=201)

    (body,) = bodies(archive, stack, agent)
    named = name_of(body)
    assert named
    item = dynamodb(stack).get_item(TableName=stack.memory_table, Key=owned_by(named.owner), ConsistentRead=True)
    assert item["Item"]["body_key"]["S"] == body


def test_two_records_with_equal_content_outlive_each_other(api: Api, stack: Stack, archive: Any, agent: str) -> None:
    large = {"x": incompressible(1_100_000)}
    for session in ("a", "b"):
        api.post("/v1/state", {"agent_id": agent, "session_id": session, "data": large}, expect=201)
    assert len(bodies(archive, stack, agent)) == 2

    api.delete(f"/v1/state/{agent}/a")
    assert same(api.get(f"/v1/state/{agent}?session_id=b"), "data", large)

    deleted = api.delete(f"/v1/memory/{agent}", expect=200)["deleted"]
    assert deleted["s3_objects"] in (1, 2)  # the archiver may have been there before
    assert bodies(archive, stack, agent) == []
