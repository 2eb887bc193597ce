"""The signed client: what it tries again, and what it gives up on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agent_memory.adapters import aws_http
from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.errors import StoreUnavailable
from tests.faults import Fault, FaultyService
from tests.fix_aws import Aws
from tests.relay import Relay

THROTTLED: Fault = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"})
BROKEN: Fault = (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"})
NO_JSON: Fault = (503, {})


@pytest.fixture
def client(service: FaultyService) -> Iterator[AwsJsonClient]:
    made = Aws(service.endpoint).client()
    yield made
    made._close()


def put(client: AwsJsonClient, tenant: str, **extra: Any) -> None:
    client.call("PutItem", {"TableName": "memory", "Item": {"pk": {"S": tenant}, "sk": {"S": "x"}}, **extra})


@pytest.mark.parametrize("fault", [THROTTLED, BROKEN, NO_JSON, "lose answer", "lose request", "cut answer"])
def test_what_may_pass_is_tried_three_times_more(
    client: AwsJsonClient, service: FaultyService, tenant: str, fault: Fault
) -> None:
    service.plan("PutItem", fault, fault, fault)

    put(client, tenant)

    assert service.seen == ["PutItem"] * 4
    assert client.calls == 1


@pytest.mark.parametrize("fault", [THROTTLED, BROKEN, "lose answer", "lose request", "cut answer"])
def test_after_four_attempts_the_store_is_unavailable(
    client: AwsJsonClient, service: FaultyService, tenant: str, fault: Fault
) -> None:
    service.plan("PutItem", *[fault] * 4)

    with pytest.raises(StoreUnavailable):
        put(client, tenant)

    assert len(service.seen) == 4
    put(client, tenant)  # and the next request finds a connection that works


def test_a_refusal_is_not_tried_again(client: AwsJsonClient, service: FaultyService, tenant: str) -> None:
    put(client, tenant)
    with pytest.raises(AwsError) as refused:
        put(client, tenant, ConditionExpression="attribute_not_exists(pk)")

    assert refused.value.code == "ConditionalCheckFailedException"
    assert refused.value.resent is False
    assert len(service.seen) == 2


@pytest.mark.parametrize(("fault", "resent"), [("lose answer", True), (BROKEN, True), (THROTTLED, False)])
def test_a_refusal_tells_whether_an_earlier_attempt_may_have_worked(
    client: AwsJsonClient, service: FaultyService, tenant: str, fault: Fault, resent: bool
) -> None:
    put(client, tenant)
    service.plan("PutItem", fault)

    with pytest.raises(AwsError) as refused:
        put(client, tenant, ConditionExpression="attribute_not_exists(pk)")

    assert refused.value.resent is resent


def test_a_connection_that_the_service_closed_is_opened_again_before_anything_is_sent(
    service: FaultyService, tenant: str
) -> None:
    relay = Relay(service.server_port)
    client = Aws(f"http://127.0.0.1:{relay.port}").client()
    put(client, tenant)
    relay.cut()

    with pytest.raises(AwsError) as refused:
        put(client, tenant, ConditionExpression="attribute_not_exists(pk)")

    assert refused.value.resent is False
    assert relay.connections == 2
    relay.close()


def test_a_service_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch, tenant: str) -> None:
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.0)

    with pytest.raises(StoreUnavailable) as refused:
        put(Aws("http://127.0.0.1:1").client(), tenant)

    assert tenant not in json.dumps([refused.value.message, refused.value.details])
