"""The same write sent five times with one key, two of them at once, is one effect and one answer: every route.

`REQUESTS` has what each route that is no GET is sent; a new route has to come to it. The second request arrives between
two calls of the first to its stores, between each two of them in turn, as a second function would serve it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters import ssm
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.entrypoints.http import scopes
from tests.edge import Edge, Reply
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

STATE: dict[str, Any] = {"agent_id": "planner", "data": {"x": 1}}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": "tea"}
MEMORY: dict[str, Any] = {"agent_id": "planner", "content": "the user likes tea"}
CONTEXT: dict[str, Any] = {"agent_id": "planner", "user_id": "ana", "message": "tea?"}
STEP: dict[str, Any] = {"agent_id": "planner", "state": {"x": 1}, "status": "done"}
CLAIM: dict[str, Any] = {"agent_id": "planner", "tool": "search", "arguments_hash": "h", "lease_s": 60}
FACT: dict[str, Any] = {"user_id": "u", "subject": "Ana", "predicate": "lives in", "value": "Paris"}
END: dict[str, Any] = {"agent_id": "planner", "user_id": "u", "summary": "Ana moves to Berlin."}
UPLOAD: dict[str, Any] = {"bytes": 5, "sha256": "0" * 64}
TOOL = "/v1/runs/r/tools/c"


@dataclass(frozen=True)
class Write:
    """A request, another one under the same key, and what has to stand there before."""

    path: str
    body: Any
    status: int
    other: tuple[str, Any]
    before: tuple[tuple[str, str, Any], ...] = ()
    id_of: str = ""  # the field of the last answer before that stands for {} in the path


A_STATE = (("POST", "/v1/state", STATE),)
A_MEMORY = (("POST", "/v1/memory/semantic", MEMORY),)
A_FACT = (("PUT", "/v1/facts", FACT),)
A_RETRACTED_FACT = (*A_FACT, ("DELETE", "/v1/facts/{}", None))
PROCEDURE: dict[str, Any] = {"trigger": "refund an order", "steps": ["Pay."]}
A_PROCEDURE = (("PUT", "/v1/procedures/refund", PROCEDURE),)
UNKNOWN = "00000000-0000-4000-8000-000000000000"
REQUESTS = {
    "POST /v1/state": Write("/v1/state", STATE, 201, ("/v1/state", STATE | {"data": {}}), A_STATE),
    "PUT /v1/state/{agent_id}": Write(
        "/v1/state/planner",
        {"data": {"x": 2}, "version": 1},
        200,
        ("/v1/state/planner", {"data": {"x": 3}, "version": 2}),
        A_STATE,
    ),
    "PATCH /v1/state/{agent_id}": Write(
        "/v1/state/planner", {"data": {"y": 2}}, 200, ("/v1/state/planner", {"data": {"z": 2}}), A_STATE
    ),
    "DELETE /v1/state/{agent_id}/{session_id}": Write(
        "/v1/state/planner/default", None, 204, ("/v1/state/planner/other", None), A_STATE
    ),
    "PUT /v1/runs/{run_id}/steps/{step}": Write(
        "/v1/runs/r/steps/7", STEP, 200, ("/v1/runs/r/steps/7", STEP | {"state": 2})
    ),
    "POST /v1/runs/{run_id}/tools/{call_id}": Write(TOOL, CLAIM, 201, (TOOL, CLAIM | {"lease_s": 61})),
    "PUT /v1/runs/{run_id}/tools/{call_id}": Write(
        TOOL, {"error": 1}, 200, (TOOL, {"error": 2}), (("POST", TOOL, CLAIM),)
    ),
    "POST /v1/uploads": Write("/v1/uploads", UPLOAD, 201, ("/v1/uploads", UPLOAD | {"bytes": 6})),
    "POST /v1/memory/episodic": Write(
        "/v1/memory/episodic", EPISODE, 201, ("/v1/memory/episodic", EPISODE | {"content": "milk"})
    ),
    "POST /v1/memory/episodic/batch": Write(
        "/v1/memory/episodic/batch",
        {"items": [EPISODE, {"broken": True}, EPISODE]},
        200,
        ("/v1/memory/episodic/batch", {"items": [EPISODE]}),
    ),
    "POST /v1/memory/semantic": Write(
        "/v1/memory/semantic", MEMORY, 201, ("/v1/memory/semantic", MEMORY | {"content": "milk"})
    ),
    "POST /v1/memory/semantic/batch": Write(
        "/v1/memory/semantic/batch", {"items": [MEMORY]}, 200, ("/v1/memory/semantic/batch", {"items": [MEMORY] * 2})
    ),
    "POST /v1/memory/semantic/search": Write(
        "/v1/memory/semantic/search", {"query": "tea"}, 200, ("/v1/memory/semantic/search", {"query": "milk"}), A_MEMORY
    ),
    "DELETE /v1/memory/semantic/{id}": Write(
        "/v1/memory/semantic/{}",
        None,
        204,
        (f"/v1/memory/semantic/{UNKNOWN}", None),
        A_MEMORY,
        "id",
    ),
    "PUT /v1/facts": Write("/v1/facts", FACT, 200, ("/v1/facts", FACT | {"value": "Berlin"})),
    "POST /v1/facts/batch": Write(
        "/v1/facts/batch", {"items": [FACT]}, 200, ("/v1/facts/batch", {"items": [FACT | {"value": "Berlin"}]})
    ),
    "DELETE /v1/facts/{fact_id}": Write("/v1/facts/{}", None, 204, (f"/v1/facts/{UNKNOWN}", None), A_FACT, "id"),
    "POST /v1/facts/{fact_id}/restore": Write(
        "/v1/facts/{}/restore", None, 200, (f"/v1/facts/{UNKNOWN}/restore", None), A_RETRACTED_FACT, "id"
    ),
    "PUT /v1/procedures/{name}": Write(
        "/v1/procedures/refund", PROCEDURE, 200, ("/v1/procedures/refund", PROCEDURE | {"steps": ["Wait."]})
    ),
    "POST /v1/procedures/{name}/render": Write(
        "/v1/procedures/refund/render", {}, 200, ("/v1/procedures/refund/render", {"version": 1}), A_PROCEDURE
    ),
    "POST /v1/procedures/match": Write(
        "/v1/procedures/match", {"message": "tea"}, 200, ("/v1/procedures/match", {"message": "milk"}), A_PROCEDURE
    ),
    "DELETE /v1/procedures/{name}": Write(
        "/v1/procedures/refund", None, 204, ("/v1/procedures/refund?agent_id=planner", None), A_PROCEDURE
    ),
    "POST /v1/sessions/{session_id}/end": Write(
        "/v1/sessions/s/end", END, 202, ("/v1/sessions/s/end", END | {"summary": "Ana stays."})
    ),
    "POST /v1/context": Write(
        "/v1/context", CONTEXT, 200, ("/v1/context", CONTEXT | {"message": "milk?"}), (*A_STATE, *A_MEMORY)
    ),
    "POST /v1/memory": Write("/v1/memory", EPISODE, 201, ("/v1/memory", STATE)),
    "POST /v1/memory/search": Write(
        "/v1/memory/search", {"query": "tea"}, 200, ("/v1/memory/search", {"query": "milk"}), A_MEMORY
    ),
    "DELETE /v1/memory/{agent_id}": Write("/v1/memory/planner", None, 200, ("/v1/memory/critic", None), A_STATE),
    "POST /v1/keys": Write("/v1/keys", {"scopes": ["read"]}, 201, ("/v1/keys", {"scopes": ["write"]})),
    "DELETE /v1/keys/{key_id}": Write(
        "/v1/keys/{}",
        None,
        204,
        ("/v1/keys/0123456789abcdef", None),
        (("POST", "/v1/keys", {"scopes": ["read"]}),),
        "key_id",
    ),
}
READS = (
    "facts?user_id=u",
    "procedures",
    "state/planner",
    "memory/episodic/planner",
    "memory/semantic",
    "keys",
    "runs/r",
    "runs?agent_id=planner",
)
# What no two tenants have in common though the same was written for both.
INCIDENTAL = re.compile(
    r'"meta":.*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9A-HJKMNP-TV-Z]{26}\b|(?<="key_id":")[^"]*'
)
each_write = pytest.mark.parametrize("route", sorted(REQUESTS))


@pytest.fixture
def api(deployed: Edge, aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Edge:
    client = aws.client(ssm.make_client)
    pepper = {"Name": "/once/pepper", "Value": "0123456789abcdef" * 4, "Type": "SecureString", "Overwrite": True}
    client.call("PutParameter", pepper)
    client._close()
    monkeypatch.setenv("PEPPER_PARAMETER", "/once/pepper")
    return deployed


@pytest.fixture
def tenants(api: Edge) -> Iterator[Edge]:
    """Tenants that nobody was before."""
    return (Edge(f"{api.tenant_id}-{number}", "read write erase admin") for number in count())


def prepared(api: Edge, write: Write) -> str:
    """Make what has to be there; the path of the request."""
    made: Any = {}
    for method, path, body in write.before:
        reply = api.call(method, path.format(made.get("id")), body)
        assert reply.status < 300, reply.text
        answer = reply.json and reply.json["data"]
        made = answer.get("fact", answer) if answer else made
    return write.path.format(made.get(write.id_of))


def seen(api: Edge) -> list[str]:
    """What the tenant has now, without what differs each time."""
    return [INCIDENTAL.sub("", str(api.call("GET", f"/v1/{path}").text)) for path in READS]


def told(reply: Reply) -> tuple[int, str]:
    """What an answer says; a repetition is not told the secret of a key that was made."""
    text = re.sub(r'"api_key":("[^"]*"|null)', "", str(reply.text).partition(',"meta"')[0])
    return reply.status, text


def both_at_once(monkeypatch: pytest.MonkeyPatch, place: int, send: Callable[[], Reply]) -> tuple[list[Reply], bool]:
    """Send a request, and the same before this call of it to DynamoDB: the answers, and whether it came to that."""
    met: list[Reply] = []
    calls, call = count(1), AwsJsonClient.call

    def watched(client: AwsJsonClient, operation: str, *arguments: Any) -> dict[str, Any]:
        if next(calls) == place:
            met.append(send())
        return call(client, operation, *arguments)

    with monkeypatch.context() as watching:
        watching.setattr(AwsJsonClient, "call", watched)
        return [send(), *met], bool(met)


def test_each_route_that_is_no_read_is_among_the_requests() -> None:
    assert set(REQUESTS) == {route for route, scope in scopes().items() if scope and not route.startswith("GET ")}


@each_write
def test_sent_five_times_and_twice_at_once_a_write_is_one_effect_and_one_answer(
    tenants: Iterator[Edge], route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, method = REQUESTS[route], route.partition(" ")[0]
    once = next(tenants)
    assert once.call(method, prepared(once, write), write.body, key="k").status == write.status
    for place in count(1):
        api = next(tenants)
        path = prepared(api, write)
        first, was_met = both_at_once(monkeypatch, place, partial(api.call, method, path, write.body, key="k"))
        replies = [*first, *(api.call(method, path, write.body, key="k") for _ in range(3))]

        answers = [reply for reply in replies if reply.status != 409]
        assert {told(reply) for reply in answers} == {told(replies[-1])}
        assert replies[-1].status == write.status
        assert ["idempotency-replayed" in reply.headers for reply in answers].count(False) == 1
        for reply in replies:
            assert reply in answers or (reply.error["code"], reply.headers["retry-after"]) == ("IN_PROGRESS", "1")
        assert seen(api) == seen(once)
        if not was_met:
            assert place > 1
            break


@each_write
def test_a_key_that_was_used_for_another_request_is_refused(tenants: Iterator[Edge], route: str) -> None:
    write, method = REQUESTS[route], route.partition(" ")[0]
    api = next(tenants)
    assert api.call(method, prepared(api, write), write.body, key="k").status == write.status
    before = seen(api)

    other = api.call(method, write.other[0], write.other[1], key="k")

    assert (other.status, other.error["code"]) == (409, "CONFLICT")
    assert seen(api) == before
