"""From an API key in a header to a tenant in the context, with moto behind it."""

import copy
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from agent_memory import bootstrap
from agent_memory.adapters import ssm
from agent_memory.entrypoints import admin, authorizer
from agent_memory.errors import StoreUnavailable
from tests.edge import Edge, an_event
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

PARAMETER = "/agent-memory/test/pepper"
Command = Callable[..., Any]


@pytest.fixture
def command(
    deployed: Edge, aws: Aws, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs an operator's command; returns what it printed."""
    monkeypatch.setenv("PEPPER_PARAMETER", PARAMETER)
    monkeypatch.setattr(admin, "now", clock)
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
    assert len(bytes.fromhex(known["cursor_key"])) == 32
    (listed,) = command("keys", "list", "--tenant", tenant)
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
    bootstrap.api_keys.cache_clear()

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
