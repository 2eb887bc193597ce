"""Context over the API's edge: what was written by other routes is in it, and stores that are away are named."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.bootstrap import knowledge
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge

CONTEXT = "/v1/context"
ASKED = {
    "agent_id": "a",
    "session_id": "s",
    "user_id": "ana",
    "message": "Where does Ana live, and what does she drink?",
}
FACT = {"user_id": "ana", "subject": "Ana", "predicate": "lives in", "value": "Porto"}
TEA = {"agent_id": "a", "user_id": "ana", "content": "Ana drinks tea in the morning."}
STATE = {"agent_id": "a", "session_id": "s", "data": {"task": "breakfast"}}


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    """What a silent store waits for."""
    event = threading.Event()
    yield event
    event.set()


def write(api: Edge) -> None:
    api.call("POST", "/v1/state", STATE)
    api.call("PUT", "/v1/facts", FACT)
    api.call("POST", "/v1/memory/semantic", TEA)
    api.call("PUT", "/v1/procedures/breakfast", {"trigger": "what does she drink", "steps": ["Put the kettle on."]})


def refuse(*_: object) -> Any:
    raise StoreUnavailable("away")


def test_what_was_written_is_in_the_next_context(api: Edge) -> None:
    write(api)

    told = api.call("POST", CONTEXT, ASKED).data

    assert [line.partition("] ")[2] for line in told["block"].split("\n")[1:]] == [
        '{"task": "breakfast"}',
        "Ana lives in: Porto",
        "what does she drink: 1. Put the kettle on.",
        "Ana drinks tea in the morning.",
    ]
    assert told["working"]["data"] == {"task": "breakfast"}
    assert "degraded" not in told


def test_a_repeated_request_gets_the_first_answer(api: Edge) -> None:
    first = api.call("POST", CONTEXT, ASKED, key="k")
    write(api)

    assert api.call("POST", CONTEXT, ASKED, key="k").data == first.data
    assert api.call("POST", CONTEXT, ASKED).data["facts"]


def test_a_key_that_may_read_is_enough_and_one_that_may_write_is_not(api: Edge) -> None:
    assert Edge(api.tenant_id, "read").call("POST", CONTEXT, ASKED).status == 200
    assert Edge(api.tenant_id, "write").call("POST", CONTEXT, ASKED).status == 403


def test_a_store_that_is_away_is_named_and_both_are_a_503(api: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    write(api)
    with monkeypatch.context() as away:
        away.setattr(knowledge.context()._store, "gather", refuse)
        told = api.call("POST", CONTEXT, ASKED).data
        assert told["degraded"] == ["facts", "memories", "procedures", "summaries"]
        assert told["working"]["data"] == {"task": "breakfast"}

        away.setattr(knowledge.context()._states, "get", refuse)
        refused = api.call("POST", CONTEXT, ASKED, key="k")
        assert (refused.status, refused.error["code"]) == (503, "UNAVAILABLE")
        assert int(refused.headers["retry-after"]) >= 1
    assert api.call("POST", CONTEXT, ASKED, key="k").status == 200, "that was no answer to keep"


def test_the_state_is_one_call_to_dynamodb(deployed: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    write(deployed)
    deployed.call("POST", CONTEXT, ASKED)
    calls: list[str] = []
    call = AwsJsonClient.call

    def counted(client: AwsJsonClient, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if "USAGE" not in str(request.get("Key")):
            calls.append(operation)
        return call(client, operation, request)

    monkeypatch.setattr(AwsJsonClient, "call", counted)
    deployed.call("POST", CONTEXT, ASKED)

    assert calls == ["GetItem"]


def test_a_silent_dynamodb_is_not_waited_for(
    deployed: Edge, monkeypatch: pytest.MonkeyPatch, silence: threading.Event
) -> None:
    write(deployed)
    monkeypatch.setattr(knowledge.context(), "_deadline_s", 0.5)
    call = AwsJsonClient.call

    def silent(client: AwsJsonClient, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetItem":
            silence.wait(60)
        return call(client, operation, request)

    monkeypatch.setattr(AwsJsonClient, "call", silent)
    told = deployed.call("POST", CONTEXT, ASKED)

    assert told.json["meta"]["latency_ms"] < 20_000
    assert told.data["degraded"] == ["working"]
    assert "Ana lives in: Porto" in told.data["block"]
