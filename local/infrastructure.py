"""The local environment root, applied to MiniStack by the same Terraform that builds the real one."""

import hashlib
import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from local import console, ministack, services, terraform
from local.ports import Ports
from local.process import launch, lines
from local.progress import Progress
from local.state import ROOT, StackError, State

_FOLDER = ROOT / "terraform" / "envs" / "local"


def fingerprint(artifact: dict[str, Any], ports: Ports, ministack_started: str) -> str:
    """Hash what an apply depends on: when it is unchanged there is nothing to apply."""
    hashed = hashlib.sha256(repr((artifact, ports, ministack_started)).encode())
    for file in sorted((ROOT / "terraform").rglob("*")):
        if file.suffix in {".tf", ".tfvars", ".json"} and ".terraform" not in file.parts:
            hashed.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return hashed.hexdigest()


def apply(state: State, ports: Ports, artifact: dict[str, Any]) -> None:
    """Initialise and apply, showing progress."""
    state.terraform.mkdir(parents=True, exist_ok=True)
    variables = state.terraform / "local.tfvars.json"
    variables.write_text(json.dumps({"artifact": artifact, "database_port": ports.postgres}))
    arguments, source = terraform.provider_source()
    if source:
        console.say(f"  Terraform's providers come from {source}")
    console.status("  terraform init")
    _run(state, ports, "init", "-input=false", "-no-color", *arguments)
    options = ("-auto-approve", "-input=false", f"-var-file={variables}", _state_option(state))
    progress = Progress()
    if _follow(state, [terraform.binary(), f"-chdir={_FOLDER}", "apply", "-json", *options], ports, progress) != 0:
        raise StackError("\n".join(["terraform apply failed", *progress.errors]))
    console.say(f"  Terraform made {progress.summary()}")


def _follow(state: State, command: list[str], ports: Ports, progress: Progress) -> int:
    """Run Terraform as a process on record, so that it and its provider are stopped even if this program is killed.

    It writes to a file: at the end of a broken pipe it would die and leave its provider behind.
    """
    services.stop(state, "terraform")  # of an `up` that was killed
    log = state.logs / "terraform.log"
    log.unlink(missing_ok=True)
    note = partial(services.record, state, "terraform")
    with launch(command, _environment(state, ports), log, ROOT, note) as process:
        try:
            progress.follow(lines(log, lambda: process.poll() is not None))
        except KeyboardInterrupt:
            process.terminate()  # it ends what is under way and saves its state; a second Ctrl-C does not wait for that
            process.wait()
            raise
        finally:
            services.stop(state, "terraform")
    return process.returncode


def outputs(state: State, ports: Ports) -> dict[str, Any]:
    """Read what Terraform knows of the stack."""
    said = json.loads(_run(state, ports, "output", "-json", "-no-color", _state_option(state)))
    return {name: output["value"] for name, output in said.items()}


def _state_option(state: State) -> str:
    return f"-state={state.terraform / 'terraform.tfstate'}"


def _environment(state: State, ports: Ports) -> dict[str, str]:
    own = {
        "TF_DATA_DIR": str(state.terraform / "data"),
        "TF_IN_AUTOMATION": "1",
        # The proxy, which answers a second attempt as it did the first: MiniStack carries out both.
        "AWS_ENDPOINT_URL": ministack.iam_endpoint(ports),
    }
    return terraform.environment() | ministack.credentials(ports) | own


def _run(state: State, ports: Ports, *arguments: str) -> str:
    command = [terraform.binary(), f"-chdir={_FOLDER}", *arguments]
    environment = _environment(state, ports)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"terraform {arguments[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def artifact_input(zip_path: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the zip as the Terraform module takes it."""
    hashes = {name: manifest[name] for name in ("sha256_base64", "sql_sha256")}
    return {"path": str(zip_path), **hashes}
