"""After everything else: nothing that was said in a request stands in a log, a metric, a dead letter or a refusal.

Canaries are planted wherever a caller puts words, in good requests and in ones that go wrong in every way we know;
beside them, whatever the other tests said in bodies and nobody could say by chance. The stand-in takes no traces; on
AWS X-Ray is told times and names of functions only, by the service and not by us.
"""

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest

from agent_memory.domain import api_key
from local.stack import Stack
from local.state import State
from tests.e2e.api import REFUSALS, SAID, Api
from tests.e2e.test_keys_and_health import broken_function

__all__ = ["broken_function"]
pytestmark = pytest.mark.late
_MOST = 10_000


@dataclass
class Canaries:
    """Words that stand nowhere else, by where they were put."""

    words: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def __getitem__(self, place: str) -> str:
        return self.words.setdefault(place, f"canary{secrets.token_hex(12)}")


@pytest.fixture(scope="module")
def canaries(stack: Stack, api: Api) -> Canaries:
    """Planted, in what works and in what does not."""
    made = Canaries()
    made.words["junk key"] = api_key.new_key()[1]
    for request in (*_good(made), *_bad(made)):
        answer = api.request(**request)
        if answer.is_error:
            made.refusals.append(answer.text)
    for key in (made.words["junk key"], f"amk_{made['key id']}", made["no key"]):
        with closing(Api(stack.api_url, key)) as stranger:
            made.refusals.append(stranger.request("GET", "/v1/usage").text)
    _refused_by_postgres(stack, made)
    made.words |= _numbers(stack, made)
    assert len(made.refusals) > 20
    return made


def _good(canaries: Canaries) -> Iterator[dict[str, Any]]:
    """Writes and reads of every layer, twice by the same idempotency key, and a purge."""
    ids = {name: canaries[name] for name in ("agent_id", "session_id", "user_id")}
    told = {
        "metadata": {canaries["metadata key"]: canaries["metadata value"]},
        "purposes": [canaries["purpose"]],
        "source": {"kind": canaries["source kind"], "id": canaries["source id"]},
    }
    episode = {**ids, **told, "type": "action", "run_id": canaries["run_id"], "content": canaries["episode"]}
    memory = {**ids, **told, "namespace": canaries["namespace"], "content": f"The {canaries['memory']} is a bird."}
    headers = {"Idempotency-Key": canaries["idempotency key"]}
    writes = (
        ("/v1/state", {**ids, **told, "data": {canaries["state name"]: canaries["state"]}}),
        ("/v1/memory/episodic", episode),
        ("/v1/memory/episodic/batch", {"items": [episode, {"content": canaries["item"]}]}),
        ("/v1/memory/semantic", memory),
        ("/v1/memory/semantic/batch", {"items": [memory, {"agent_id": canaries["bad item"]}]}),
        ("/v1/memory", memory),
        ("/v1/memory/semantic/search", {"query": canaries["query"], "metadata_filter": {"k": canaries["filter"]}}),
        ("/v1/memory/search", {"query": canaries["memory"], "agent_id": ids["agent_id"]}),
    )
    for path, body in (*writes, *writes):
        yield {"method": "POST", "path": path, "body": body, "headers": headers}
    fact = {
        **ids,
        **told,
        "subject": canaries["subject"],
        "predicate": canaries["predicate"],
        "value": canaries["fact"],
    }
    for _ in range(2):
        yield {"method": "PUT", "path": "/v1/facts", "body": fact, "headers": headers}
        yield {"method": "POST", "path": "/v1/facts/batch", "body": {"items": [fact]}, "headers": headers}
    yield {"method": "GET", "path": f"/v1/facts?user_id={ids['user_id']}&subject={canaries['subject']}"}
    procedure = {
        **{name: ids[name] for name in ("agent_id", "user_id")},
        **told,
        "trigger": [canaries["trigger"], canaries["other trigger"]],
        "steps": [f"{canaries['step of a procedure']} for {{{{name}}}}"],
        "input_schema": {"properties": {"name": {"description": canaries["description"]}}},
    }
    path = f"/v1/procedures/{canaries['procedure']}"
    arguments = {"agent_id": ids["agent_id"], "arguments": {"name": canaries["argument"]}}
    for _ in range(2):
        yield {"method": "PUT", "path": path, "body": procedure, "headers": headers}
        yield {"method": "POST", "path": f"{path}/render", "body": arguments, "headers": headers}
        asked = {"message": canaries["message to match"]}
        yield {"method": "POST", "path": "/v1/procedures/match", "body": asked, "headers": headers}
    yield {"method": "GET", "path": f"{path}?agent_id={ids['agent_id']}"}
    agent, call = ids["agent_id"], {"tool": canaries["tool"], "arguments_hash": canaries["arguments"], "lease_s": 60}
    run = f"/v1/runs/{canaries['run_id']}"
    for _ in range(2):
        step = {**ids, **told, "state": canaries["step"], "status": "done"}
        yield {"method": "PUT", "path": f"{run}/steps/1", "body": step, "headers": headers}
        tool = f"{run}/tools/{canaries['call_id']}"
        yield {"method": "POST", "path": tool, "body": {**ids, **told, **call}, "headers": headers}
        yield {"method": "PUT", "path": tool, "body": {"result": canaries["result"]}, "headers": headers}
    yield {"method": "GET", "path": run}
    yield {"method": "GET", "path": f"/v1/memory/{agent}"}
    yield {"method": "GET", "path": f"/v1/memory/episodic/{agent}?metadata.k={canaries['metadata query']}"}


def _bad(canaries: Canaries) -> Iterator[dict[str, Any]]:
    """Requests that are refused, each by another part: JSON, rules, versions, keys, sizes, stores."""
    agent, session = canaries["bad agent"], canaries["bad session"]
    state = {"agent_id": agent, "session_id": session, "data": {"x": canaries["bad state"]}}
    memory = {"agent_id": agent, "content": canaries["bad memory"]}
    episode = {"agent_id": agent, "session_id": session, "type": "action", "content": canaries["bad episode"]}
    deep: Any = canaries["deep"]
    for _ in range(120):
        deep = [deep]
    bodies = (
        ("/v1/state", state | {"ttl_hours": canaries["number"]}),
        ("/v1/state", state | {"trust": canaries["trust"]}),
        ("/v1/state", state | {"data": canaries["no object"]}),
        ("/v1/state", state | {"agent_id": [canaries["list"]]}),
        ("/v1/state", state | {"agent_id": f"{canaries['control']}\x00"}),
        ("/v1/state", state | {"agent_id": canaries["long"] * 10}),
        ("/v1/state", state | {"expires_at": canaries["time"]}),
        ("/v1/state", state | {"data": {"x": deep}}),
        ("/v1/state", state | {"metadata": {"x": canaries["large"] + secrets.token_hex(400_000)}}),
        ("/v1/state", state | {"data": {"x": canaries["too large"] * 80_000}}),
        ("/v1/memory/episodic", episode | {"timestamp": canaries["when"]}),
        ("/v1/memory/episodic", episode | {"type": canaries["type"]}),
        ("/v1/memory/episodic", episode | {"metadata": {"x": canaries["large episode"] + secrets.token_hex(400_000)}}),
        ("/v1/memory/semantic", memory | {"content": f"{canaries['NUL']}\x00"}),
        ("/v1/memory/semantic", memory | {"content": canaries["long text"] * 30_000}),
        ("/v1/memory/semantic", memory | {"metadata": {"x": canaries["large value"] * 5_000}}),
        ("/v1/memory/semantic/search", {"query": canaries["long query"] * 400}),
        ("/v1/memory/semantic/search", {"query": canaries["asked"], "threshold": canaries["threshold"]}),
        ("/v1/memory/search", {"query": {"$ne": canaries["operator"]}}),
        ("/v1/memory", {"data": {}, "content": canaries["ambiguous"]}),
        ("/v1/state", {"agent_id": agent, "upload_id": canaries["upload"]}),
        ("/v1/uploads", {"bytes": 1, "sha256": canaries["hash"]}),
    )
    for path, body in bodies:
        yield {"method": "POST", "path": path, "body": body}
    yield {"method": "POST", "path": "/v1/state", "content": f'{{"agent_id": "{canaries["cut off"]}'.encode()}
    yield {"method": "POST", "path": "/v1/state", "content": f'"{canaries["not UTF-8"]}'.encode() + b"\xff\xfe"}
    yield {"method": "PUT", "path": f"/v1/state/{agent}", "body": {"version": 7, "data": {"x": canaries["version"]}}}
    fact = {"user_id": agent, "subject": canaries["bad subject"], "predicate": canaries["bad predicate"], "value": 1}
    for change in (
        {"value": canaries["first"]},
        {"value": canaries["clash"], "cardinality": "many"},
        {"value": canaries["large fact"] * 2_000},
        {"value": f"{canaries['NUL in a fact']}\x00"},
        {"valid_to": "1999-01-01T00:00:00Z", "metadata": {"x": canaries["ended"]}},
    ):
        yield {"method": "PUT", "path": "/v1/facts", "body": fact | change}
    procedure = {"agent_id": agent, "trigger": canaries["bad trigger"], "steps": [canaries["bad step"]]}
    for broken in (
        {"steps": [f"{canaries['open section']} {{{{#open}}}}"]},
        {"steps": [f"{canaries['open tag']} {{{{"]},
        {"input_schema": {"type": canaries["bad keyword"]}},
        {"input_schema": {"pattern": canaries["pattern"]}},
        {"input_schema": {"$ref": f"https://{canaries['remote']}.example/"}},
    ):
        yield {"method": "PUT", "path": "/v1/procedures/bad", "body": procedure | broken}
    checked = {"input_schema": {"properties": {"n": {"enum": [1]}, "s": {"maxLength": 3}, "a": {"not": {}}}}}
    yield {"method": "PUT", "path": "/v1/procedures/bad", "body": procedure | checked}
    arguments = {name: canaries[f"argument {name}"] for name in ("n", "s", "a")}
    body = {"agent_id": agent, "arguments": arguments}
    yield {"method": "POST", "path": "/v1/procedures/bad/render", "body": body}
    yield {"method": "GET", "path": f"/v1/facts?user_id={agent}&as_of={canaries['as of']}"}
    yield {"method": "GET", "path": f"/v1/memory/semantic?cursor={canaries['cursor']}"}
    yield {"method": "GET", "path": f"/v1/memory/episodic/{agent}?from={canaries['from']}"}
    yield {"method": "GET", "path": f"/v1/memory/semantic/{canaries['no uuid']}"}
    headers = {"Idempotency-Key": canaries["long key"] * 20}
    yield {"method": "POST", "path": "/v1/state", "body": state, "headers": headers}


def _refused_by_postgres(stack: Stack, canaries: Canaries) -> None:
    """Rows that break a rule of the database: its log quotes neither bound values nor, in a detail, the row."""
    insert = (
        "INSERT INTO memory.memories (tenant_id, memory_id, agent_id, content, occurred_at, created_at, updated_at,"
        " chunk_count, revision) VALUES ('acme', %s, %s, %s, now(), now(), now(), %s, %s)"
    )
    twice, agent = uuid4(), canaries["agent of a row"]
    with psycopg.connect(stack.postgres_dsn_app) as connection:
        connection.execute("SELECT memory.enter_tenant('acme')")
        connection.execute(insert, (twice, agent, canaries["row"], 1, 1))
        for values in (
            (twice, agent, canaries["same key"], 1, 1),
            (uuid4(), agent, canaries["no revision"], 1, 0),
            (uuid4(), agent * 20, canaries["long agent"], 1, 1),
            (uuid4(), agent, canaries["null"], None, 1),
        ):
            with pytest.raises(psycopg.Error), connection.transaction():
                connection.execute(insert, values)
        connection.rollback()


def _numbers(stack: Stack, canaries: Canaries) -> dict[str, str]:
    """Numbers of a vector of what was stored, as they are written."""
    client = boto3.client("bedrock-runtime", endpoint_url=stack.bedrock_endpoint_url, region_name=stack.region)
    text = f"The {canaries['memory']} is a bird."
    with closing(client):
        answer = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": text}))
        vector = json.loads(answer["body"].read())["embedding"]
    told = [number for number in vector if abs(number) > 0.01][:5]
    return {f"number {place}": f"{number:.6f}".rstrip("0") for place, number in enumerate(told)}


def everything_written(stack: Stack, state: State) -> Iterator[tuple[str, str]]:
    """(where, what) of all that the deployment and its stand-ins wrote about themselves."""
    options: dict[str, Any] = {"endpoint_url": stack.aws_endpoint_url, "region_name": stack.region}
    with closing(boto3.client("logs", **options)) as logs:
        for group in logs.get_paginator("describe_log_groups").paginate().build_full_result()["logGroups"]:
            yield group["logGroupName"], "\n".join(_lines(logs, group["logGroupName"]))
    with closing(boto3.client("cloudwatch", **options)) as metrics:
        yield "metrics", str([page["Metrics"] for page in metrics.get_paginator("list_metrics").paginate()])
    with closing(boto3.client("sqs", **options)) as queues:
        for url in queues.list_queues().get("QueueUrls", []):
            yield url, str(queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0))
    for file in (*state.logs.glob("*"), state.postgres / "data" / "server.log", *_workers(state)):
        with suppress(FileNotFoundError):  # gone since, with its function's folder
            yield str(file.relative_to(state.folder)), file.read_text(errors="replace")


def _lines(logs: Any, group: str) -> Iterator[str]:
    """All lines of a group. The stand-in gives the first 10,000 from a time on, and no token for the rest."""
    start, events = 0, [dict[str, Any]()] * _MOST
    while len(events) >= _MOST:
        events = logs.filter_log_events(logGroupName=group, startTime=start)["events"]
        yield from (event["message"] for event in events)
        start = events[-1]["timestamp"] if events else start


def _workers(state: State) -> list[Path]:
    """Logs that a function left in a folder of its own; such a folder may go at any time."""
    return [Path(folder, name) for folder, _, names in os.walk(state.tmp) for name in names if name.endswith(".log")]


def test_logs_metrics_and_dead_letters_hold_no_canary(canaries: Canaries, stack: Stack, state: State) -> None:
    written = dict(everything_written(stack, state))

    assert sum(len(text) for text in written.values()) > 10_000, "hardly anything was written: this proves nothing"
    assert any("POST /v1/memory/semantic" in text for text in written.values())
    found = {
        (where, place) for where, text in written.items() for place, word in canaries.words.items() if word in text
    }
    assert found == set()


def test_logs_hold_nothing_that_other_tests_said(stack: Stack, state: State) -> None:
    written = dict(everything_written(stack, state))
    words = SAID | {tenant.api_key for tenant in stack.tenants}

    found = {(where, word) for where, text in written.items() for word in words & set(re.findall(r"[\w-]+", text))}
    assert found == set()


def test_refusals_hold_no_canary_and_no_key(canaries: Canaries, stack: Stack) -> None:
    words = canaries.words | {f"key {tenant.tenant_id}": tenant.api_key for tenant in stack.tenants}

    told = {
        (place, text[:300]) for text in (*canaries.refusals, *REFUSALS) for place, word in words.items() if word in text
    }
    assert told == set()


@pytest.mark.usefixtures("broken_function")
def test_a_crash_writes_down_where_it_was_and_not_over_what(stack: Stack, state: State, api: Api) -> None:
    word = f"canary{secrets.token_hex(12)}"

    answer = api.request("POST", "/v1/state", {"agent_id": word, "data": {word: word}, "metadata": {word: word}})

    assert answer.status_code == 500
    assert word not in answer.text
    written = dict(everything_written(stack, state))
    assert any('"error":"RuntimeError"' in text for text in written.values())
    assert [where for where, text in written.items() if word in text] == []
