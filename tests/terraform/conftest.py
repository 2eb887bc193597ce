"""A stand-in for AWS that the whole tier shares, and a copy of the Terraform tree to work in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ministack, services, terraform
from local import ports as loopback
from local.state import State
from tests.terraform import roots
from tests.terraform.roots import ENVIRONMENTS, HASHES, Terraform


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment that leads every AWS client to a MiniStack of the tests' own."""
    state = State(tmp_path_factory.mktemp("stand-in"))
    ports = loopback.ports(state)
    services.ensure_ministack(state, ports)
    yield ministack.credentials(ports)
    services.stop(state, "ministack")


@pytest.fixture(scope="session")
def program(stand_in: dict[str, str]) -> Terraform:
    """Terraform, pointed at the stand-in."""
    return Terraform(terraform.binary(), terraform.provider_arguments(), stand_in)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all Terraform code."""
    target = tmp_path_factory.mktemp("tree")
    for folder in ("terraform", "examples"):
        roots.copy(folder, target)
    return target


@pytest.fixture(scope="session")
def built(tree: Path) -> Path:
    """The tree with an artifact in it, as `make build` would leave one."""
    dist = tree / "dist"
    dist.mkdir()
    (dist / "agent-memory-arm64.zip").write_bytes(b"never opened by a plan")
    (dist / "agent-memory-arm64.json").write_text(json.dumps({**HASHES, "bytes": 22}))
    return tree


@pytest.fixture(scope="session")
def environment_plans(built: Path, program: Terraform) -> dict[str, dict[str, Any]]:
    """The plan of every environment, its state in a bucket of the stand-in as it would be in one of AWS."""
    ministack.client("s3", program.credentials["AWS_ENDPOINT_URL"]).create_bucket(Bucket="state")
    plans = {}
    for name in ENVIRONMENTS:
        folder = built / "terraform" / "envs" / name
        local = name == "local"
        program.init(folder, *([] if local else ["-backend-config=bucket=state", "-backend-config=region=us-east-1"]))
        artifact = {"path": "../../../dist/agent-memory-arm64.zip", **HASHES}
        plans[name] = program.plan(folder, artifact=artifact, **({"database_port": 5432} if local else {}))
    return plans
