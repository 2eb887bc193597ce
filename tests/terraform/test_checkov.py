"""checkov finds nothing, by its own checks and by ours, in code and in plans; every skip carries its reason."""

from pathlib import Path
from typing import Any

import pytest

from local.state import ROOT
from tests.terraform import checkov, roots
from tests.terraform.roots import ENVIRONMENTS


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
def test_the_plan_of_an_environment_passes(
    name: str, built: Path, environment_plans: dict[str, Any], tmp_path: Path
) -> None:
    # Alone: checkov takes what one root skips for every root whose module has the same name.
    for folder in ("terraform/modules", f"terraform/envs/{name}"):
        roots.copy(folder, tmp_path)
    plan = built / "terraform" / "envs" / name / "plan.json"

    found = _findings(
        "--framework", "terraform_plan", "--file", str(plan), "--repo-root-for-plan-enrichment", str(tmp_path)
    )

    assert found == []


@pytest.mark.parametrize("folder", ["terraform/envs", "terraform/modules", "examples"])
def test_every_skip_has_a_reason(folder: str) -> None:
    files = (ROOT / folder).rglob("*.tf")
    skips = [line.strip() for file in files for line in file.read_text().splitlines() if "checkov:skip" in line]

    assert [skip for skip in skips if len(skip.partition(":skip=")[2].partition(":")[2]) < 20] == []
