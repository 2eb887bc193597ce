"""Counting fails alone: no request fails with it, waits long for it, or is forgotten."""

import json
import socket
import time
from typing import Any

import pytest

from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_registry import DynamoAgentRegistry
from agent_memory.bootstrap import counting
from agent_memory.domain.limits import Limits
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.faults import Fault, FaultyService

EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 1}
DENIED: Fault = (400, {"__type": "x#AccessDeniedException", "message": "hunter2"})
AWAY: list[Fault] = ["lose request"] * 4


@pytest.mark.parametrize("faults", [[DENIED], AWAY, [(500, {})] * 4])
@pytest.mark.parametrize("operation", ["UpdateItem", "PutItem"])
def test_a_request_that_could_not_be_counted_is_answered_and_counted_later(
    unreliable: Edge,
    service: FaultyService,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    operation: str,
    faults: list[Fault],
) -> None:
    service.plan(operation, *faults)

    assert unreliable.call("POST", "/v1/memory/episodic", EPISODE).status == 201

    logged = capsys.readouterr().out
    assert [json.loads(line).get("status") for line in logged.splitlines()] == [None, 201]
    assert "hunter2" not in logged
    clock.turn(seconds=10)
    unreliable.call("GET", "/v1/memory/episodic/planner")
    seen = unreliable.call("GET", "/v1/usage").data
    assert (seen["api_calls_month"], seen["agents_count"], seen["sessions_count"]) == (3, 1, 1)
    assert seen["storage"]["dynamo_bytes"] > 0


def test_a_mark_whose_answer_was_lost_is_still_new(unreliable: Edge, service: FaultyService) -> None:
    service.plan("PutItem", "lose answer", "lose answer")

    unreliable.call("POST", "/v1/memory/episodic", EPISODE)

    seen = unreliable.call("GET", "/v1/usage").data
    assert (seen["agents_count"], seen["sessions_count"]) == (1, 1)


@pytest.mark.parametrize("faults", [AWAY, [(500, {})] * 4])
def test_a_tenant_with_a_limit_is_not_served_while_nobody_knows_whether_it_is_reached(
    unreliable: Edge, service: FaultyService, faults: list[Fault]
) -> None:
    unreliable.limits = Limits(requests_per_month=10)
    service.plan("UpdateItem", *faults)

    refused = unreliable.call("POST", "/v1/memory/episodic", EPISODE)

    assert (refused.status, refused.error["code"], refused.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    seen = unreliable.call("GET", "/v1/usage").data
    assert (seen["api_calls_month"], seen["storage"]["dynamo_bytes"]) == (1, 0)


def test_what_could_not_be_reserved_is_not_written(unreliable: Edge, service: FaultyService) -> None:
    """The first UpdateItem that carries bytes fails; the request itself was counted before."""
    unreliable.limits = Limits(stored_bytes=10_000)
    unreliable.call("GET", "/v1/memory/episodic/planner")
    counting.admission()._leases[unreliable.tenant_id].tokens = 1
    service.plan("UpdateItem", *AWAY)

    assert unreliable.call("POST", "/v1/memory/episodic", EPISODE).status == 503

    assert unreliable.call("GET", "/v1/memory/episodic/planner").data["episodes"] == []


def test_a_lease_whose_answer_was_lost_counts_more_and_never_less(unreliable: Edge, service: FaultyService) -> None:
    unreliable.limits = Limits(requests_per_month=10)
    service.plan("UpdateItem", "lose answer")

    statuses = [unreliable.call("GET", "/v1/memory/episodic/planner").status for _ in range(12)]

    assert statuses == [200] * 9 + [429] * 3


def test_counting_is_given_up_soon_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        client = AwsJsonClient("dynamodb", "DynamoDB_20120810", "us-east-1", protocol="1.0")
        started = time.monotonic()

        with pytest.raises(StoreUnavailable):
            DynamoAgentRegistry(client, "control").mark("acme", "planner", None)

        assert time.monotonic() - started < 3


def test_calls_of_counting_are_not_among_those_of_the_request(
    deployed: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.call("POST", "/v1/memory/episodic", EPISODE)
    capsys.readouterr()

    deployed.call("POST", "/v1/memory/episodic", EPISODE)

    assert json.loads(capsys.readouterr().out)["data_calls"] == 1
