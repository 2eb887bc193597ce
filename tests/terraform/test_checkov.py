"""checkov finds nothing, by its own checks and by ours, in code and in plans; every skip carries its reason."""

from pathlib import Path
from typing import Any

import pytest

from local.state import ROOT
from tests.terraform import checkov
from tests.terraform.roots import ENVIRONMENTS, MODULES


def _findings(*arguments: str) -> list[str]:
    found = checkov.verdicts(*arguments)
    assert any(each.result == "passed" and each.check_id.startswith(checkov.OURS) for each in found)
    return [f"{each.check_id} {each.resource}" for each in found if each.result == "failed"]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Install checkov, which lives in an environment of its own."""
    checkov.install()


@pytest.mark.parametrize("folder", ["terraform/modules", "examples"])
def test_the_code_passes(folder: str) -> None:
    assert _findings("--framework", "terraform", "--directory", str(ROOT / folder)) == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_plan_of_an_environment_passes(name: str, built: Path, environment_plans: dict[str, Any]) -> None:
    code = built / "terraform"
    plan = code / "envs" / name / "plan.json"

    found = _findings(
        "--framework", "terraform_plan", "--file", str(plan), "--repo-root-for-plan-enrichment", str(code)
    )

    assert found == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_skip_has_a_reason(module: Path) -> None:
    skips = [
        line.strip() for file in module.glob("*.tf") for line in file.read_text().splitlines() if "checkov:skip" in line
    ]

    assert [skip for skip in skips if len(skip.partition(":skip=")[2].partition(":")[2]) < 20] == []
