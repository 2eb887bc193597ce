"""checkov finds nothing, in the modules and in the environments' plans; every skip carries its reason."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.state import ROOT
from tests.terraform.roots import ENVIRONMENTS, MODULES

_CHECKOV = ROOT / ".venv-scan" / "bin" / "checkov"


def _findings(*arguments: str) -> str:
    command = [str(_CHECKOV), "--skip-download", "--quiet", "--compact", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Passed checks:" in done.stdout, done.stderr
    return "" if done.returncode == 0 else done.stdout


@pytest.fixture(scope="module", autouse=True)
def checkov() -> None:
    """Install checkov, which lives in an environment of its own."""
    subprocess.run(["sh", "local/setup.sh", "scan"], cwd=ROOT, check=True)


def test_the_modules_pass() -> None:
    assert _findings("--framework", "terraform", "--directory", str(ROOT / "terraform" / "modules")) == ""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_plan_of_an_environment_passes(name: str, built: Path, environment_plans: dict[str, Any]) -> None:
    code = built / "terraform"
    plan = code / "envs" / name / "plan.json"

    found = _findings(
        "--framework", "terraform_plan", "--file", str(plan), "--repo-root-for-plan-enrichment", str(code)
    )

    assert found == ""


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_skip_has_a_reason(module: Path) -> None:
    skips = [
        line.strip() for file in module.glob("*.tf") for line in file.read_text().splitlines() if "checkov:skip" in line
    ]

    assert [skip for skip in skips if len(skip.partition(":skip=")[2].partition(":")[2]) < 20] == []
