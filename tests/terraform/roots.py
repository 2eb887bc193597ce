"""Terraform on a copy of the tree: nothing stays behind in the checkout, and no account of the caller's is used."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import terraform
from local.state import ROOT

MODULES = sorted(path for path in (ROOT / "terraform" / "modules").iterdir() if any(path.glob("*.tf")))
EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if (path / "main.tf").is_file())
ENVIRONMENTS = sorted(path.name for path in (ROOT / "terraform" / "envs").iterdir() if (path / "main.tf").is_file())

HASHES = {
    "sha256_base64": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "sql_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
_LEFT_OUT = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")


@dataclass(frozen=True)
class Terraform:
    """The program, where its providers come from, and the stand-in's credentials."""

    binary: str
    init_arguments: list[str]
    credentials: dict[str, str]

    def init(self, folder: Path, *arguments: str) -> None:
        """Initialise a folder."""
        self.run(folder, "init", "-input=false", *self.init_arguments, *arguments)

    def run(self, folder: Path, *arguments: str) -> str:
        """Run a command; what Terraform says is the message of a failure."""
        command = [self.binary, f"-chdir={folder}", *arguments]
        environment = terraform.environment() | self.credentials
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def plan(self, folder: Path, **variables: Any) -> dict[str, Any]:
        """Plan a folder that has been initialised; the plan is also left in plan.json."""
        given = [f"-var={name}={json.dumps(value)}" for name, value in variables.items()]
        self.run(folder, "plan", "-input=false", "-lock=false", "-out=plan", *given)
        (folder / "plan.json").write_text(self.run(folder, "show", "-json", "plan"))
        plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
        return plan


def copy(folder: str, target: Path) -> None:
    """Copy a folder of the repository to the same place below another one."""
    shutil.copytree(ROOT / folder, target / folder, ignore=_LEFT_OUT, dirs_exist_ok=True)


def created(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the planned attributes of all resources of a type."""
    return [each["change"]["after"] for each in plan["resource_changes"] if each["type"] == kind]
