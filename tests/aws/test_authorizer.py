"""From an API key in a header to a tenant in the context, with moto behind it."""

import copy
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from agent_memory.adapters import ssm
from agent_memory.bootstrap import tenants
from agent_memory.domain.cursor import seal, unseal
from agent_memory.entrypoints import authorizer
from agent_memory.entrypoints.admin import __main__ as admin
from agent_memory.entrypoints.admin import keys
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge, an_event
from tests.fakes.clock import Clock
from tests.faults import Fault, faulty
from tests.fix_aws import Aws
from tests.fix_edge import forget_clients

PARAMETER = "/agent-memory/test/pepper"
Command = Callable[..., Any]


@pytest.fixture
def command(
    deployed: Edge, aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs an operator's command; returns what it printed."""
    monkeypatch.setenv("PEPPER_PARAMETER", PARAMETER)
    monkeypatch.setattr(keys, "now", clock)
    rotate(aws, "first")

    def run(*arguments: str) -> Any:
        assert admin.main(arguments) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def rotate(aws: Aws, pepper: str) -> None:
    client = aws.client(ssm.make_client)
    client.call(
        "PutParameter",
        {"Name": PARAMETER, "Value": sha256(pepper.encode()).hexdigest(), "Type": "SecureString", "Overwrite": True},
    )
    client._close()


def context(key: str) -> Any:
    event = copy.deepcopy(an_event("authorizer"))
    event["headers"]["authorization"] = f"Bearer {key}"
    answer = authorizer.handler(event, None)
    assert answer["isAuthorized"] is True
    return answer["context"]


def test_a_key_is_made_listed_used_and_revoked(command: Command, deployed: Edge) -> None:
    tenant = deployed.tenant_id
    made = command("keys", "create", "--tenant", tenant, "--scopes", "read", "admin")

    known = context(made["api_key"])
    assert (known["tenant_id"], known["scopes"], known["key_id"]) == (tenant, "read admin", made["key_id"])
    assert len(bytes.fromhex(known["cursor_key"])) in (32, 64)  # another test may have rotated the pepper
    (listed,) = command("keys", "list", "--tenant", tenant)
    assert made["last_used_at"] is None
    assert listed.pop("last_used_at") == "2026-11-20T09:30:00.000000Z"
    assert listed.items() <= made.items()

    command("keys", "revoke", "--key-id", made["key_id"])
    assert context(made["api_key"]) == {}


def test_a_key_outlives_the_rotation_of_the_pepper(command: Command, deployed: Edge, aws: Aws) -> None:
    old = command("keys", "create", "--tenant", deployed.tenant_id)
    rotate(aws, "second")
    new = command("keys", "create", "--tenant", deployed.tenant_id)

    assert context(old["api_key"])["tenant_id"] == context(new["api_key"])["tenant_id"] == deployed.tenant_id


def test_a_key_for_some_days_ends_with_them(command: Command, deployed: Edge, clock: Clock) -> None:
    made = command("keys", "create", "--tenant", deployed.tenant_id, "--expires-in-days", "2")

    assert context(made["api_key"])
    clock.turn(days=3)
    assert context(made["api_key"]) == {}


@pytest.mark.parametrize("days", ["0", "-1", "x", "1000000000"])
def test_a_key_for_no_time_at_all_is_refused(command: Command, deployed: Edge, days: str) -> None:
    with pytest.raises(SystemExit):
        command("keys", "create", "--tenant", deployed.tenant_id, "--expires-in-days", days)


@pytest.mark.parametrize("headers", [{}, None, {"authorization": ""}, {"authorization": "Bearer nonsense"}])
def test_a_bad_key_is_let_through_without_a_tenant(command: Command, headers: Any) -> None:
    assert authorizer.handler(an_event("authorizer") | {"headers": headers}, None) == {
        "isAuthorized": True,
        "context": {},
    }


def test_without_its_pepper_no_key_is_judged(command: Command, deployed: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    made = command("keys", "create", "--tenant", deployed.tenant_id)
    monkeypatch.setenv("PEPPER_PARAMETER", "/agent-memory/test/none")
    tenants.api_keys.cache_clear()

    with pytest.raises(StoreUnavailable):
        context(made["api_key"])


def test_a_key_is_never_logged(command: Command, deployed: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    made = command("keys", "create", "--tenant", deployed.tenant_id)
    context(made["api_key"])

    logged = capsys.readouterr().out
    assert made["key_id"] in logged
    assert made["api_key"].rpartition("_")[2][:8] not in logged


def test_an_agent_is_spread_by_an_operator(command: Command, deployed: Edge) -> None:
    spread = command("agents", "spread", "--tenant", deployed.tenant_id, "--agent", "planner", "--buckets", "8")

    assert (spread["agent_id"], spread["buckets"]) == ("planner", 8)
    assert admin.main(("agents", "spread", "--tenant", deployed.tenant_id, "--agent", "a", "--buckets", "1")) == 1


@pytest.mark.parametrize("pepper", [" ", "short"])
@pytest.mark.usefixtures("deployed")
def test_a_pepper_that_is_no_secret_makes_no_key(aws: Aws, tenant: str, pepper: str) -> None:
    client = aws.client(ssm.make_client)
    name = f"/agent-memory/{tenant}/{len(pepper)}"
    client.call("PutParameter", {"Name": name, "Value": pepper, "Type": "SecureString"})

    with pytest.raises(StoreUnavailable):
        ssm.SsmPepper(client, name).latest()
    client._close()


def test_a_last_use_is_noted_once_an_hour(command: Command, deployed: Edge, clock: Clock, aws: Aws) -> None:
    made = command("keys", "create", "--tenant", deployed.tenant_id)

    def last_used() -> Any:
        return command("keys", "list", "--tenant", deployed.tenant_id)[0]["last_used_at"]

    context(made["api_key"])
    first = last_used()
    clock.turn(minutes=59)
    context(made["api_key"])
    assert last_used() == first
    clock.turn(minutes=1)
    context(made["api_key"])
    assert last_used() == "2026-11-20T10:30:00.000000Z"


@pytest.mark.parametrize("fault", ["lose request", (400, {"__type": "x#AccessDeniedException"})])
def test_who_may_come_in_does_so_when_the_use_of_the_key_cannot_be_noted(
    command: Command, deployed: Edge, aws: Aws, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    made = command("keys", "create", "--tenant", deployed.tenant_id)
    with faulty(aws.endpoint) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
        forget_clients()
        service.plan("UpdateItem", *[fault] * 4)

        assert context(made["api_key"])["tenant_id"] == deployed.tenant_id
        assert "UpdateItem" in service.seen
        forget_clients()


def test_an_old_key_may_be_given_an_end(command: Command, deployed: Edge, clock: Clock) -> None:
    old = command("keys", "create", "--tenant", deployed.tenant_id)
    new = command("keys", "create", "--tenant", deployed.tenant_id)
    command("keys", "expire", "--key-id", old["key_id"], "--in-hours", "24")
    command("keys", "expire", "--key-id", old["key_id"], "--in-hours", "48")

    clock.turn(hours=23)
    assert context(old["api_key"])["tenant_id"] == context(new["api_key"])["tenant_id"]
    clock.turn(hours=1)
    assert context(old["api_key"]) == {}
    assert context(new["api_key"])
    assert admin.main(("keys", "expire", "--key-id", "0" * 16, "--in-hours", "1")) == 1


def test_limits_of_the_tenant_come_with_its_keys(
    command: Command, deployed: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMITS", '{"requests_per_second":5,"vectors":7}')
    tenant = deployed.tenant_id
    key = command("keys", "create", "--tenant", tenant)["api_key"]
    assert json.loads(context(key)["limits"]) == {"requests_per_second": 5, "vectors": 7}

    shown = command("tenants", "limit", "--tenant", tenant, "--requests-per-second", "20", "--vectors", "none")

    assert shown == {
        "tenant_id": tenant,
        "own_limits": {"requests_per_second": 20, "vectors": "none"},
        "flags": {},
        "counted": {},
    }
    assert json.loads(context(key)["limits"]) == {"requests_per_second": 20}
    command("tenants", "limit", "--tenant", tenant, "--requests-per-second", "default", "--vectors", "default")
    assert command("tenants", "show", "--tenant", tenant)["own_limits"] == {}
    assert json.loads(context(key)["limits"]) == {"requests_per_second": 5, "vectors": 7}


def test_a_tenant_without_limits_is_told_of_none(command: Command, deployed: Edge) -> None:
    assert "limits" not in context(command("keys", "create", "--tenant", deployed.tenant_id)["api_key"])


@pytest.mark.parametrize("limit", ["-1", "1.5", "x", "1" * 16, "٣"])
def test_a_limit_that_is_none_is_refused(command: Command, deployed: Edge, limit: str) -> None:
    with pytest.raises(SystemExit):
        command("tenants", "limit", "--tenant", deployed.tenant_id, "--vectors", limit)


def test_a_walk_begun_under_the_pepper_before_goes_on(command: Command, deployed: Edge, aws: Aws) -> None:
    old = command("keys", "create", "--tenant", deployed.tenant_id)
    cursor = seal(bytes.fromhex(context(old["api_key"])["cursor_key"]), "walk", [1])
    rotate(aws, "second")
    new = command("keys", "create", "--tenant", deployed.tenant_id)

    assert unseal(bytes.fromhex(context(new["api_key"])["cursor_key"]), "walk", cursor) == [1]
    assert unseal(bytes.fromhex(context(old["api_key"])["cursor_key"]), "walk", cursor) == [1]
