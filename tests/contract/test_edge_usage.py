"""What callers see of usage and of a purge, over stores in memory and over DynamoDB."""

import os
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters.s3_archive import agent_prefix
from agent_memory.bootstrap import counting
from agent_memory.domain.limits import NAMES
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws
from tests.fix_edge import forget_clients

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

STATE: dict[str, Any] = {"agent_id": "planner", "data": {"x": 1}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": "tea"}
MEMORY: dict[str, Any] = {"agent_id": "planner", "content": "the user likes tea"}


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    if request.param == "deployed":
        request.getfixturevalue("s3")
    made.scopes = "read write erase"
    return made


def usage(api: Edge) -> Any:
    """What has been counted; asking is a request too, counted before its answer."""
    return api.call("GET", "/v1/usage").data


def test_a_tenant_that_did_nothing_has_asked_and_used_nothing(api: Edge) -> None:
    assert usage(api) == {
        "api_calls_month": 1,
        "embeddings_generated_month": 0,
        "storage": {"dynamo_bytes": 0, "s3_bytes": 0},
        "agents_count": 0,
        "sessions_count": 0,
        "vectors_count": 0,
        "billing_period": "2026-11",
        "limits": dict.fromkeys(NAMES),
    }


def test_each_authenticated_request_is_a_call_whatever_came_of_it(api: Edge) -> None:
    api.call("POST", "/v1/state", STATE)
    api.call("GET", "/v1/state/planner")
    api.call("GET", "/v1/state/nobody")
    api.call("POST", "/v1/state", "{")
    api.call("POST", "/v1/state", STATE, key="k")
    api.call("POST", "/v1/state", STATE, key="k")
    api.scopes = "read"
    api.call("POST", "/v1/state", STATE)
    api.call("PROPFIND", "/v1/nothing")
    api.call("GET", "/v1/health")

    seen = usage(api)

    assert (seen["api_calls_month"], seen["agents_count"], seen["sessions_count"]) == (8, 1, 1)


def test_without_a_tenant_nothing_is_counted(api: Edge) -> None:
    event = api.event("POST", "/v1/state", STATE)
    event["requestContext"]["authorizer"] = {"lambda": {}}

    assert api.invoke(event)["statusCode"] == 401
    assert usage(api)["api_calls_month"] == 1


def test_asking_whether_the_stores_are_ready_counts_for_nobody(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise AssertionError

    api.scopes = "admin"
    with monkeypatch.context() as patched:
        patched.setattr(counting, "meter", refused)
        patched.setattr(counting, "admission", refused)
        api.call("GET", "/v1/health/ready")
    api.scopes = "read"

    assert usage(api)["api_calls_month"] == 1


def test_tenants_are_counted_apart(api: Edge) -> None:
    api.call("POST", "/v1/state", STATE)
    api.tenant_id += "-2"

    assert usage(api)["api_calls_month"] == 1


def test_a_repetition_is_a_call_and_no_second_write(api: Edge) -> None:
    for _ in range(2):
        api.call("POST", "/v1/memory/episodic", EPISODE, key="k")
    once = usage(api)
    api.call("POST", "/v1/memory/episodic", EPISODE, key="another")

    assert once["api_calls_month"] == 3
    assert 0 < once["storage"]["dynamo_bytes"] == usage(api)["storage"]["dynamo_bytes"] / 2


def test_agents_and_sessions_are_counted_once_until_they_are_purged(api: Edge) -> None:
    for agent in ("planner", "critic"):
        for session in ("a", "b", "a"):
            api.call("POST", "/v1/memory/episodic", EPISODE | {"agent_id": agent, "session_id": session})
            api.call("POST", "/v1/state", STATE | {"agent_id": agent, "session_id": session})
    api.call("DELETE", "/v1/state/planner/a")
    before = usage(api)
    api.call("DELETE", "/v1/memory/planner")
    after = usage(api)

    assert (before["agents_count"], before["sessions_count"]) == (2, 4)
    assert (after["agents_count"], after["sessions_count"]) == (1, 2)
    assert 0 < after["storage"]["dynamo_bytes"] < before["storage"]["dynamo_bytes"]
    api.call("DELETE", "/v1/memory/critic")
    assert usage(api)["storage"]["dynamo_bytes"] == 0


def test_usage_begins_anew_with_each_month_and_what_is_stored_stays(api: Edge, clock: Clock) -> None:
    api.call("POST", "/v1/state", STATE)
    stored = usage(api)["storage"]
    clock.turn(days=11)

    december = api.call("GET", "/v1/usage").data

    assert (december["billing_period"], december["api_calls_month"], december["storage"]) == ("2026-12", 1, stored)
    assert api.call("GET", "/v1/usage").data["api_calls_month"] == 2


def test_a_purge_answers_what_it_removed(api: Edge) -> None:
    api.call("POST", "/v1/state", STATE | {"user_id": "ana"})
    for _ in range(2):
        api.call("POST", "/v1/memory/episodic", EPISODE)
    api.call("POST", "/v1/memory", MEMORY)
    api.call("POST", "/v1/state", STATE | {"agent_id": "critic"})

    reply = api.call("DELETE", "/v1/memory/planner")

    counts = {
        "state": 1,
        "episodic": 2,
        "semantic": 1,
        "facts": 0,
        "procedures": 0,
        "runs": 0,
        "s3_objects": 0,
        "sessions": 2,
        "other": 1,
    }
    assert (reply.status, reply.data) == (200, {"agent_id": "planner", "deleted": counts})
    nothing: dict[str, Any] = {"state": None, "semantic": [], "episodic": []}
    assert api.call("GET", "/v1/memory/planner").data == nothing
    assert api.call("POST", "/v1/memory/search", {"query": "tea"}).data["results"] == []
    assert api.call("GET", "/v1/state/critic").status == 200
    assert set(api.call("DELETE", "/v1/memory/planner").data["deleted"].values()) == {0}


def test_a_purge_that_is_sent_again_hears_its_first_answer(api: Edge) -> None:
    api.call("POST", "/v1/memory/episodic", EPISODE)
    first = api.call("DELETE", "/v1/memory/planner", key="k")
    api.call("POST", "/v1/memory/episodic", EPISODE)

    again = api.call("DELETE", "/v1/memory/planner", key="k")

    assert again.data == first.data
    assert again.headers["idempotency-replayed"] == "true"
    assert len(api.call("GET", "/v1/memory/planner").data["episodic"]) == 1
    assert api.call("DELETE", "/v1/memory/critic", key="k").status == 409


@pytest.mark.parametrize("path", ["/v1/memory/a%20b", "/v1/memory/~", "/v1/memory/planner?agent_id=x"])
def test_a_purge_of_no_agent_is_refused(api: Edge, path: str) -> None:
    assert api.call("DELETE", path).status == 400


def test_archived_objects_go_with_their_agent(deployed: Edge, aws: Aws, s3: "S3Client") -> None:
    deployed.scopes = "read erase"
    for agent in ("planner", "planner2"):
        for _ in range(2):
            s3.put_object(Bucket=aws.bucket, Key=f"{agent_prefix(deployed.tenant_id, agent)}x", Body=b"x")

    assert deployed.call("DELETE", "/v1/memory/planner").data["deleted"]["s3_objects"] == 2

    left = [version["Key"] for version in s3.list_object_versions(Bucket=aws.bucket)["Versions"]]
    assert left == [f"{agent_prefix(deployed.tenant_id, 'planner2')}x"] * 2


def test_a_bucket_of_the_wrong_name_fails_the_purge_until_it_is_right(
    deployed: Edge, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.scopes = "read write erase"
    deployed.call("POST", "/v1/memory/episodic", EPISODE)
    right = os.environ["ARCHIVE_BUCKET"]
    monkeypatch.setenv("ARCHIVE_BUCKET", "somebody-elses")

    reply = deployed.call("DELETE", "/v1/memory/planner")

    assert (reply.status, reply.error["code"]) == (503, "UNAVAILABLE")
    monkeypatch.setenv("ARCHIVE_BUCKET", right)
    forget_clients()
    assert deployed.call("DELETE", "/v1/memory/planner").status == 200
    assert deployed.call("GET", "/v1/memory/planner").data["episodic"] == []


def test_after_a_purge_another_function_starts_from_nothing(deployed: Edge, s3: "S3Client") -> None:
    deployed.scopes = "read write erase"
    deployed.call("POST", "/v1/state", STATE | {"user_id": "ana"})
    deployed.call("DELETE", "/v1/memory/planner")
    forget_clients()

    reply = deployed.call("POST", "/v1/state", STATE | {"user_id": "bob"})

    assert (reply.status, reply.data["version"]) == (201, 1)
    seen = deployed.call("GET", "/v1/usage").data
    assert (seen["agents_count"], seen["sessions_count"]) == (1, 1)
