"""Every check of policy/ fails what it is for and passes what is right, in the source and in a plan."""

import re

import pytest

from local.state import ROOT
from tests.terraform import checkov, roots
from tests.terraform.checkov import Verdict
from tests.terraform.roots import Terraform

_FIXTURES = ROOT / "policy" / "fixtures"
_TABLE = "aws_dynamodb_table"

# The folder of fixtures: the check, and the types that it judges. A module in a fixture is judged by what is in it.
_CHECKS = {
    "table-ttl": ("CKV2_AGENTMEM_01", {_TABLE}),
    "table-recovery": ("CKV2_AGENTMEM_02", {_TABLE}),
    "table-stream": ("CKV2_AGENTMEM_03", {_TABLE}),
    "table-deletion-protection": ("CKV2_AGENTMEM_04", {_TABLE}),
    "aurora-forced-tls": ("CKV2_AGENTMEM_05", {"aws_rds_cluster"}),
    "aurora-iam-authentication": ("CKV2_AGENTMEM_06", {"aws_rds_cluster"}),
    "proxy-and-pause": ("CKV2_AGENTMEM_07", {"aws_db_proxy_target"}),
    "bucket-public-access": ("CKV2_AGENTMEM_08", {"aws_s3_bucket"}),
    "bucket-public-grant": ("CKV2_AGENTMEM_09", {"aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_bucket_policy"}),
    "role-resources": ("CKV2_AGENTMEM_10", {"aws_iam_policy", "aws_iam_role", "aws_iam_role_policy"}),
    "log-group-retention": ("CKV2_AGENTMEM_11", {"aws_cloudwatch_log_group"}),
    "route-authorizer": ("CKV2_AGENTMEM_12", {"aws_apigatewayv2_route"}),
}
_SKIPPED = {"route-authorizer": {"aws_apigatewayv2_route.health"}}
_ROOT = """
provider "aws" {
  region = "us-east-1"
}
"""


@pytest.fixture(scope="module")
def source() -> dict[str, list[Verdict]]:
    """What checkov says of the fixtures as they are written."""
    checkov.install()
    found = checkov.verdicts("--framework=terraform", f"--directory={_FIXTURES}")
    return {name: [each for each in found if each.file.startswith(f"/{name}/")] for name in _CHECKS}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, program: Terraform) -> dict[str, list[Verdict]]:
    """What checkov says of a plan of all fixtures, each a module of one root."""
    checkov.install()
    folder = tmp_path_factory.mktemp("plan")
    roots.copy("policy/fixtures", folder)
    calls = [f'module "{name}" {{\n  source = "./policy/fixtures/{name}"\n}}\n' for name in _CHECKS]
    (folder / "main.tf").write_text(_ROOT + "".join(calls))
    program.init(folder)
    program.plan(folder)
    found = checkov.verdicts(f"--file={folder / 'plan.json'}", f"--repo-root-for-plan-enrichment={folder}")
    return {name: [each for each in found if each.resource.startswith(f"module.{name}.")] for name in _CHECKS}


def _written(name: str, file: str) -> set[str]:
    """Read which resources of the check's types, and which modules, a fixture has."""
    text = (_FIXTURES / name / f"{file}.tf").read_text()
    resources = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)
    modules = re.findall(r'^module "(\w+)"', text, re.MULTILINE)
    return {f"{kind}.{label}" for kind, label in resources if kind in _CHECKS[name][1]} | {
        f"module.{m}" for m in modules
    }


def _found(name: str, verdicts: list[Verdict], result: str) -> set[str]:
    """Return what got this result from the check that the fixtures are for, named as they name it."""
    own = [each for each in verdicts if each.check_id == _CHECKS[name][0] and each.result == result]
    plain = [re.sub(r"\[.*?\]", "", each.resource).removeprefix(f"module.{name}.") for each in own]
    return {".".join(each.split(".")[:2]) for each in plain}


@pytest.mark.parametrize("seen", ["source", "plan"])
@pytest.mark.parametrize("name", _CHECKS)
def test_a_check_fails_what_it_is_for_and_passes_what_is_right(
    name: str, seen: str, request: pytest.FixtureRequest
) -> None:
    verdicts: dict[str, list[Verdict]] = request.getfixturevalue(seen)
    wrong, right, skipped = _written(name, "fail"), _written(name, "pass"), _SKIPPED.get(name, set())

    assert _found(name, verdicts[name], "failed") == wrong - skipped != set()
    assert _found(name, verdicts[name], "passed") == right != set()
    assert _found(name, verdicts[name], "skipped") == skipped


def test_every_check_and_every_folder_of_fixtures_is_tested_and_explained() -> None:
    written = " ".join(file.read_text() for file in (ROOT / "policy" / "checks").iterdir() if file.is_file())
    explained = (ROOT / "policy" / "README.md").read_text()
    tested = {check_id for check_id, _ in _CHECKS.values()}

    assert set(re.findall(rf"{checkov.OURS}\d+", written)) == tested
    assert {each.name for each in _FIXTURES.iterdir()} == set(_CHECKS)
    assert set(re.findall(rf"{checkov.OURS}\d+", explained)) == tested
