"""`python -m local.plan dev`: `terraform plan` of a real environment, with the zip that was just built.

The account is the caller's own. The state's bucket is named by STATE_BUCKET, unless `terraform init` ran before.
"""

import os
import subprocess
import sys
from pathlib import Path

from local import terraform
from local.state import ROOT, StackError

_ROOTS = ROOT / "terraform" / "envs"
_ARTIFACT = ROOT / "dist" / "agent-memory-arm64.tfvars.json"


def plan(environment: str) -> None:
    """Initialise the root when needed, then plan."""
    folder = _ROOTS / environment
    if not (folder / "main.tf").is_file():
        raise StackError(f"ENV={environment} is none of {', '.join(sorted(each.name for each in _ROOTS.iterdir()))}")
    if not (folder / ".terraform").is_dir():
        _run(folder, "init", "-input=false", *_backend(), *terraform.provider_arguments())
    _run(folder, "plan", "-input=false", f"-var-file={_ARTIFACT}")


def _backend() -> list[str]:
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        raise StackError("STATE_BUCKET=<bucket of Terraform's state> is needed the first time")
    return [f"-backend-config=bucket={bucket}"]


def _run(folder: Path, *arguments: str) -> None:
    # The caller's own credentials; only a settings file that does not exist is taken out, for Terraform warns of it.
    own = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE" or Path(value).is_file()}
    command = [terraform.binary(), f"-chdir={folder}", *arguments]
    if subprocess.run(command, env=own, check=False).returncode != 0:
        raise StackError(f"terraform {arguments[0]} failed")


if __name__ == "__main__":
    try:
        plan(sys.argv[1])
    except StackError as error:
        sys.exit(str(error))
