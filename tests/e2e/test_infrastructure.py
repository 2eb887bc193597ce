"""What Terraform built stays as it is: a second plan changes nothing but what the stand-in misreports."""

import json
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from psycopg.conninfo import conninfo_to_dict

from agent_memory.domain.api_key import cursor_key
from local import ministack, terraform
from local.ports import ports
from local.stack import Stack
from local.state import ROOT, State

ALLOWED = ROOT / "tests" / "e2e" / "plan_allowlist.json"
LIMIT = 20


def run_terraform(state: State, *arguments: str) -> str:
    """Run Terraform on the local root as the local stack does."""
    environment = terraform.environment() | ministack.credentials(ports(state))
    environment |= {"TF_DATA_DIR": str(state.terraform / "data"), "TF_IN_AUTOMATION": "1"}
    command = [terraform.binary(), f"-chdir={ROOT / 'terraform' / 'envs' / 'local'}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def options(state: State) -> list[str]:
    """The state and the variables of the stack."""
    folder = state.terraform
    return [f"-state={folder / 'terraform.tfstate'}", f"-var-file={folder / 'local.tfvars.json'}", "-input=false"]


def changes(plan: dict[str, Any]) -> dict[tuple[str, str], str]:
    """(resource type, attribute) of every planned change; "*" where a resource comes, goes or is replaced."""
    found = {}
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        if change["actions"] != ["update"]:
            found[resource["type"], "*"] = f"{resource['address']}: {change['actions']}"
            continue
        unknown = change["after_unknown"]
        for name in change["before"].keys() | change["after"].keys() | unknown.keys():
            if unknown.get(name) or change["before"].get(name) != change["after"].get(name):
                seen = (change["before"].get(name), change["after"].get(name), unknown.get(name))
                found[resource["type"], name] = f"{resource['address']}: before, after, unknown: {seen}"
    return found


@pytest.fixture(scope="module")
def second_plan(state: State, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan right after the apply."""
    file = tmp_path_factory.mktemp("plan") / "plan"
    run_terraform(state, "plan", f"-out={file}", *options(state))
    plan: dict[str, Any] = json.loads(run_terraform(state, "show", "-json", str(file)))
    return plan


def test_a_second_plan_shows_no_change_but_the_listed_misreports(second_plan: dict[str, Any]) -> None:
    listed = {(line["type"], line["attribute"]) for line in json.loads(ALLOWED.read_text())}

    found = changes(second_plan)

    assert {key: seen for key, seen in found.items() if key not in listed} == {}, "changes that no line explains"
    assert listed - found.keys() == set(), "lines that explain nothing any more"


def test_the_list_of_misreports_is_short_and_gives_reasons() -> None:
    lines = json.loads(ALLOWED.read_text())

    assert len(lines) <= LIMIT
    assert len({(line["type"], line["attribute"]) for line in lines}) == len(lines)
    assert all(line["reason"] and line["attribute"] != "*" for line in lines)


def test_the_pepper_is_not_in_the_state(state: State) -> None:
    text = (state.terraform / "terraform.tfstate").read_text()
    parameters = [
        instance["attributes"]
        for resource in json.loads(text)["resources"]
        if resource["type"] == "aws_ssm_parameter"
        for instance in resource["instances"]
    ]

    assert len(parameters) == 1
    assert not parameters[0]["value"]
    assert not parameters[0]["value_wo"]


def secrets_of(stack: Stack) -> dict[str, str]:
    """Everything that opens something: API keys, the pepper, passwords, the keys that cursors are signed with."""
    with closing(boto3.client("ssm", endpoint_url=stack.aws_endpoint_url, region_name=stack.region)) as ssm:
        named = [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
        peppers = [ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] for name in named]
    found = {f"pepper {place}": pepper for place, pepper in enumerate(peppers)}
    for tenant in stack.tenants:
        found[f"key of {tenant.tenant_id}"] = tenant.api_key
        for place, pepper in enumerate(peppers):
            found[f"cursors of {tenant.tenant_id}, {place}"] = cursor_key(pepper.encode(), tenant.tenant_id)
    for login in (stack.postgres_dsn_app, stack.postgres_dsn_owner):
        parts = conninfo_to_dict(login)
        found[f"password of {parts['user']}"] = str(parts["password"])
    return found


def test_no_secret_stands_in_the_state_or_in_a_plan(
    state: State, stack: Stack, second_plan: dict[str, Any], tmp_path: Path
) -> None:
    """In the state file, its JSON, a plan's JSON, a plan of destroying everything, and what Terraform printed."""
    file = tmp_path / "destroy"
    run_terraform(state, "plan", "-destroy", f"-out={file}", *options(state))
    texts = {
        "state file": (state.terraform / "terraform.tfstate").read_text(),
        "state as JSON": run_terraform(state, "show", "-json", str(state.terraform / "terraform.tfstate")),
        "plan": json.dumps(second_plan),
        "plan to destroy": run_terraform(state, "show", "-json", str(file)),
        "plan to destroy, in words": run_terraform(state, "show", str(file)),
        "variables": (state.terraform / "local.tfvars.json").read_text(),
        "log": (state.logs / "terraform.log").read_text(),
    }
    secrets = secrets_of(stack)

    assert len(secrets) >= 7
    assert all(len(secret) >= 16 for secret in secrets.values())
    assert {
        (where, what) for where, text in texts.items() for what, secret in secrets.items() if secret in text
    } == set()
