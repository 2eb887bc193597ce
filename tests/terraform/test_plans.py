"""Examples and environments can be planned as they stand, and say what they promise."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.state import ROOT
from tests.terraform import roots
from tests.terraform.roots import ENVIRONMENTS, EXAMPLES, HASHES, Terraform, created

_MODULE = "terraform/modules/agent-memory"
_VARIABLES: dict[str, dict[str, Any]] = {
    "existing-vpc": {"vpc_id": "vpc-12345678", "subnet_ids": ["subnet-11111111", "subnet-22222222"]}
}
_FUNCTIONS = (
    *("archiver", "authorizer", "episodic", "health", "ingest", "keys", "knowledge", "privacy"),
    *("relay", "schema", "semantic", "sweeper", "unified", "working"),
)
_VARIABLE = re.compile(r'^variable "(\w+)"', re.MULTILINE)
_HANDED_ON = re.compile(r"^  (\w+) += .*var\.\1\b", re.MULTILINE)
# No caller waits for these.
_ALONE = ("-archiver", "-ingest", "-relay", "-schema", "-sweeper")
_REAL_ENVIRONMENTS = [name for name in ENVIRONMENTS if name != "local"]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "from-git"])
def test_an_example_can_be_planned(name: str, built: Path, program: Terraform) -> None:
    folder = built / "examples" / name
    program.init(folder)

    plan = program.plan(folder, **_VARIABLES.get(name, {}))

    assert len(created(plan, "aws_dynamodb_table")) == 2


def test_the_example_from_git_needs_the_module_folder_and_a_release_only(tmp_path: Path, program: Terraform) -> None:
    roots.copy("terraform/modules", tmp_path)
    roots.copy("examples/from-git", tmp_path)
    folder = tmp_path / "examples" / "from-git"
    (folder / "release.json").write_text(json.dumps({"artifact": "agent-memory-0.1.0-arm64.zip", **HASHES}))
    main = (folder / "main.tf").read_text()
    source = f'"git::https://github.com/example/agent-memory.git//{_MODULE}?ref=v0.1.0"'
    assert source in main
    (folder / "main.tf").write_text(main.replace(source, f'"../../{_MODULE}"'))
    program.init(folder)

    plan = program.plan(folder)

    functions = created(plan, "aws_lambda_function")
    assert {function["s3_key"] for function in functions} == {"agent-memory-0.1.0-arm64.zip"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_can_be_planned(name: str, environment_plans: dict[str, dict[str, Any]]) -> None:
    assert {each["function_name"] for each in created(environment_plans[name], "aws_lambda_function")} == {
        f"memory-{name}-{role}" for role in _FUNCTIONS
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_database_functions_are_ever_in_a_vpc(name: str, environment_plans: dict[str, dict[str, Any]]) -> None:
    plan = environment_plans[name]
    inside = {each["function_name"] for each in created(plan, "aws_lambda_function") if each["vpc_config"]}

    roles = ("health", "ingest", "knowledge", "privacy", "semantic", "unified")
    uses_database = {f"memory-{name}-{role}" for role in roles}
    assert inside == (set() if name in {"dev", "local"} else uses_database)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_vpc_without_functions_has_no_endpoints(name: str, environment_plans: dict[str, dict[str, Any]]) -> None:
    services = {each["service_name"].split(".")[-1] for each in created(environment_plans[name], "aws_vpc_endpoint")}

    assert services == (set() if name in {"dev", "local"} else {"bedrock-runtime", "dynamodb", "s3", "sts"})


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_function_that_serves_a_tenant_takes_a_role_for_it(
    name: str, environment_plans: dict[str, dict[str, Any]]
) -> None:
    roles = {each["name"] for each in created(environment_plans[name], "aws_iam_role")}

    assert {role for role in roles if role.endswith("-tenant")} == {
        f"memory-{name}-{function}-tenant"
        for function in ("episodic", "ingest", "knowledge", "privacy", "semantic", "unified", "working")
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_function_outlives_the_gateway(name: str, environment_plans: dict[str, dict[str, Any]]) -> None:
    timeouts = {
        each["function_name"]: each["timeout"] for each in created(environment_plans[name], "aws_lambda_function")
    }

    behind = {f: timeout for f, timeout in timeouts.items() if not f.endswith(_ALONE)}
    if name == "local":  # no HTTP API stops waiting there, and the model is slow
        behind = {f: timeout for f, timeout in behind.items() if not f.endswith(("knowledge", "semantic", "unified"))}
    assert max(behind.values()) < 30


def test_production_is_protected_and_never_pauses(environment_plans: dict[str, dict[str, Any]]) -> None:
    plan = environment_plans["prod"]
    (cluster,) = created(plan, "aws_rds_cluster")

    assert cluster["deletion_protection"]
    assert cluster["serverlessv2_scaling_configuration"][0]["min_capacity"] >= 0.5
    assert len(created(plan, "aws_rds_cluster_instance")) == 2
    assert all(table["deletion_protection_enabled"] for table in created(plan, "aws_dynamodb_table"))
    assert len(created(plan, "aws_cloudwatch_dashboard")) == 1


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_pays_for_ten_alarm_metrics_at_most(
    name: str, environment_plans: dict[str, dict[str, Any]]
) -> None:
    assert len(created(environment_plans[name], "aws_cloudwatch_metric_alarm")) <= 10


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_hands_on_every_input_of_the_composition(name: str) -> None:
    """An input that no root knows is set in a tfvars file, warned of, and left out."""
    inputs = {
        variable for file in (ROOT / _MODULE).glob("variables*.tf") for variable in _VARIABLE.findall(file.read_text())
    }
    folder = ROOT / "terraform" / "envs" / name
    handed_on = set(_HANDED_ON.findall((folder / "main.tf").read_text()))

    assert handed_on == inputs - {"tags"}  # those are the default tags of its provider
    assert handed_on <= set(_VARIABLE.findall((folder / "variables.tf").read_text()))


@pytest.mark.parametrize("file", ["main.tf", "outputs.tf", "provider.tf", "variables.tf", "versions.tf"])
def test_real_environments_differ_in_their_tfvars_alone(file: str) -> None:
    texts = {(ROOT / "terraform" / "envs" / name / file).read_text() for name in _REAL_ENVIRONMENTS}
    # What a scanner is told about one of them changes nothing.
    said = {"\n".join(line for line in text.splitlines() if "#checkov:skip" not in line) for text in texts}

    assert len(said) == 1


@pytest.mark.parametrize("name", _REAL_ENVIRONMENTS)
def test_the_state_of_a_real_environment_is_locked_and_its_own(name: str) -> None:
    backend = (ROOT / "terraform" / "envs" / name / "backend.tf").read_text()

    assert "use_lockfile = true" in backend
    assert f"agent-memory/{name}.tfstate" in backend
