"""Every call that a function makes for a request is signed for the request's tenant, and about nobody else."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.acting import NobodyActs, acting_for
from agent_memory.adapters import dynamodb
from agent_memory.adapters.s3_archive import agent_prefix
from agent_memory.bootstrap import clients, counting, episodes, layers, records
from agent_memory.domain import idempotency
from agent_memory.domain.buckets import Buckets
from agent_memory.domain.limits import Limits
from agent_memory.domain.times import now
from agent_memory.domain.usage import Tally
from tests.aws.every_route import ACROSS_TENANTS, REQUESTS, STATE
from tests.edge import Edge, Reply, functions
from tests.fakes.clock import Clock
from tests.fix_aws import Aws
from tests.fix_edge import forget_clients
from tests.witness import OWN_ROLE, Witness, watching

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@pytest.fixture
def witness(aws: Aws) -> Iterator[Witness]:
    with watching(aws.endpoint) as made:
        yield made


@pytest.fixture
def api(deployed: Edge, witness: Witness, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The API as it is deployed outside a VPC."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", witness.endpoint)
    monkeypatch.setenv("TENANT_ROLE_ARN", "arn:aws:iam::123456789012:role/memory-tenant")
    forget_clients()
    deployed.scopes = "read write erase"
    return deployed


def send(api: Edge, route: str) -> list[Reply]:
    return [
        api.call(method, path, body, key=f"{route}{place}" if repeated else None)
        for place, (method, path, body, repeated) in enumerate(REQUESTS[route])
        for _ in range(1 + repeated)
    ]


def test_each_route_of_a_function_that_serves_one_tenant_is_among_the_requests() -> None:
    assert set(REQUESTS) == {route for route, function in functions().items() if function not in ACROSS_TENANTS}


def test_every_call_for_a_request_is_signed_for_its_tenant_and_about_it_alone(
    api: Edge, witness: Witness, aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting.meter()._credit, "_left", 10_000.0)
    monkeypatch.setattr("agent_memory.service.credit._MOST", 10_000.0)  # no counts wait for another's request
    tenants = [api.tenant_id, f"{api.tenant_id}-2"]
    for tenant in tenants:
        s3.put_object(Bucket=aws.bucket, Key=f"{agent_prefix(tenant, 'planner')}x", Body=b"x")

    for route in REQUESTS:
        for tenant in tenants:
            api.tenant_id = tenant
            replies = send(api, route)
            assert all(reply.status < 500 for reply in replies), replies
            calls = witness.taken()
            assert {(each.signed_for, each.about) for each in calls} <= {(tenant, frozenset([tenant]))}, (route, calls)
            if functions()[route] not in ("semantic", "knowledge"):
                assert calls, route


def test_each_tenant_costs_one_call_to_sts(api: Edge, witness: Witness) -> None:
    for tenant in ("acme", "globex") * 3:
        api.tenant_id = tenant
        api.call("POST", "/v1/state", STATE)

    assert [each.operation for each in witness.seen].count("AssumeRole") == 2
    assert {each.signed_for for each in witness.seen if each.operation == "AssumeRole"} == {OWN_ROLE}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_request_that_broke_leaves_no_tenant_behind(
    api: Edge, witness: Witness, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def broken() -> None:
        counting.usage().of("acme", Limits())
        raise error

    with monkeypatch.context() as breaking:
        breaking.setattr(records, "working", broken)
        api.tenant_id = "acme"
        if issubclass(error, Exception):
            assert api.call("POST", "/v1/state", STATE).status == 500
        else:
            with pytest.raises(error):
                api.call("POST", "/v1/state", STATE)

    with pytest.raises(NobodyActs):
        dynamodb.get(clients.dynamodb(), "memory", {"pk": {"S": "acme#planner#0"}, "sk": {"S": "x"}})
    witness.taken()
    api.tenant_id = "globex"
    api.call("GET", "/v1/state/planner")
    assert {each.signed_for for each in witness.taken() if each.operation == "GetItem"} == {"globex"}


def test_without_a_tenant_nothing_is_sent(api: Edge, witness: Witness) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: records.idempotency().finish(idempotency.begin("acme", "POST /v1/state", "k", b"", now())),
        lambda: episodes.agent_buckets().grow("acme", "planner", 2),
        lambda: counting.usage().of("acme", Limits()),
        lambda: list(layers.purge()._stores[0].purge("acme", "planner")),
    ]
    for call in calls:
        with pytest.raises(NobodyActs):
            call()

    assert witness.seen == []


def test_counts_that_waited_are_passed_on_for_the_tenant_they_are_of(
    api: Edge, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without credit each request leaves its counts to a later one.
    monkeypatch.setattr(counting.meter()._credit, "_left", 0.0)
    api.tenant_id = "acme"
    api.call("POST", "/v1/state", STATE)
    witness.taken()
    monkeypatch.setattr(counting.meter()._credit, "_left", 20.0)

    api.tenant_id = "globex"
    api.call("POST", "/v1/state", STATE)

    seen = witness.taken()
    assert {(each.signed_for, each.about) for each in seen} == {
        ("acme", frozenset(["acme"])),
        ("globex", frozenset(["globex"])),
    }
    assert [each.operation for each in seen if each.signed_for == "acme"] == ["UpdateItem"]


def test_marks_that_waited_are_made_for_the_tenant_they_are_of(api: Edge, witness: Witness) -> None:
    with acting_for("globex"):
        counting.meter().settle("acme", Tally(touched={("planner", "s"): None}))

    assert {(each.signed_for, each.about) for each in witness.taken()} == {("acme", frozenset(["acme"]))}


def test_two_tenants_racing_in_threads_each_sign_for_themselves(api: Edge, witness: Witness) -> None:
    failures: list[Exception] = []
    begin = threading.Barrier(6)

    def work(tenant: str) -> None:
        key = {"pk": {"S": f"{tenant}#planner#0"}, "sk": {"S": "x"}}
        try:
            begin.wait()
            for _ in range(25):
                with acting_for(tenant):
                    dynamodb.get(clients.dynamodb(), "memory", key)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
            failures.append(error)

    threads = [threading.Thread(target=work, args=(tenant,)) for tenant in ("acme", "globex") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seen = witness.taken()
    assert failures == []
    assert len(seen) == 150
    assert all(each.about == {each.signed_for} for each in seen)


def test_without_sts_a_request_is_told_to_come_again(
    api: Edge, witness: Witness, capsys: pytest.CaptureFixture[str]
) -> None:
    witness.closed = True
    reply = api.call("GET", "/v1/state/planner")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert [each.operation for each in witness.seen if each.operation != "AssumeRole"] == []
    assert "AccessDenied" not in str(reply)

    witness.closed = False
    assert api.call("GET", "/v1/state/planner").status == 404


def test_a_purge_without_sts_is_told_to_come_again(api: Edge, witness: Witness, clock: Clock) -> None:
    witness.closed = True

    assert api.call("DELETE", "/v1/memory/planner").status == 503


def test_the_line_of_a_request_counts_its_calls_to_sts(
    api: Edge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "memory-working")
    for _ in range(2):
        api.call("POST", "/v1/state", STATE)

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    (described,) = first["_aws"]["CloudWatchMetrics"]
    assert described == {
        "Namespace": "AgentMemory",
        "Dimensions": [["function"]],
        "Metrics": [
            {"Name": "TenantSessionMisses", "Unit": "Count"},
            {"Name": "TenantSessionLatency", "Unit": "Milliseconds"},
        ],
    }
    assert (first["function"], first["TenantSessionMisses"], second["TenantSessionMisses"]) == ("memory-working", 1, 0)
    assert first["TenantSessionLatency"] > 0
    assert "TenantSessionLatency" not in str(second)
    assert api.tenant_id not in str([first, second])


def test_without_a_role_for_tenants_a_function_signs_for_itself(
    api: Edge, witness: Witness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TENANT_ROLE_ARN")
    forget_clients()

    assert api.call("POST", "/v1/state", STATE).status == 201
    assert api.call("DELETE", "/v1/memory/planner").status == 200

    assert {each.signed_for for each in witness.seen} == {OWN_ROLE}
    assert {each.operation for each in witness.seen}.isdisjoint({"AssumeRole"})
    assert "_aws" not in capsys.readouterr().out


def test_buckets_are_read_for_the_tenant(api: Edge, witness: Witness) -> None:
    with acting_for("acme"):
        assert episodes.bucket_store().get("acme", "planner") == Buckets()

    assert [each.signed_for for each in witness.taken()] == ["acme"]
