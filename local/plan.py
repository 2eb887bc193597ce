"""`python -m local.plan dev`: `terraform plan` of a real environment, with the zip that was just built.

The account is the caller's own. backend.hcl beside the root says where its state is, or else STATE_BUCKET does.
"""

import os
import subprocess
import sys
from pathlib import Path

from local import console, terraform
from local.state import ROOT, StackError

_ROOTS = ROOT / "terraform" / "envs"
_LOCAL = "local"
_ARTIFACT = ROOT / "dist" / "agent-memory-arm64.tfvars.json"


def plan(environment: str) -> None:
    """Initialise the root, then plan."""
    folder = _root(environment)
    # Each time, for an earlier run that failed half way leaves a folder that looks initialised.
    _run(folder, "init", "-input=false", "-reconfigure", *_backend(folder), *terraform.provider_arguments())
    _run(folder, "plan", "-input=false", f"-var-file={_ARTIFACT}")


def _root(environment: str) -> Path:
    if environment == _LOCAL:
        raise StackError("ENV=local is the stack of this machine, which `make up` plans and applies")
    known = sorted(root.parent.name for root in _ROOTS.glob("*/main.tf") if root.parent.name != _LOCAL)
    if environment not in known:
        raise StackError(f"ENV={environment} is none of {', '.join(known)}")
    return _ROOTS / environment


def _backend(folder: Path) -> list[str]:
    if (folder / "backend.hcl").is_file():
        return ["-backend-config=backend.hcl"]
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        example = (folder / "backend.hcl.example").relative_to(ROOT)
        raise StackError(
            f"where is Terraform's state? Copy {example} to backend.hcl beside it and fill it in,"
            " or set STATE_BUCKET=<your bucket> and AWS_REGION=<its region>"
        )
    return [f"-backend-config=bucket={bucket}"]


def _run(folder: Path, command: str, *options: str) -> None:
    # The caller's own credentials; only a settings file that does not exist is taken out, for Terraform warns of it.
    own = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE" or Path(value).is_file()}
    colours = [] if console.is_terminal() else ["-no-color"]
    whole = [terraform.binary(), f"-chdir={folder}", command, *colours, *options]
    if subprocess.run(whole, env=own, check=False).returncode != 0:
        raise StackError(f"terraform {command} failed")


def main() -> int:
    """Plan the environment that was named; say in a line why not."""
    try:
        plan(" ".join(sys.argv[1:]))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return console.INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
