"""The stack under test: the one that STACK_JSON names, or one of the tests' own that ends with them."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local import stack as stack_file
from local.stack import Stack
from local.state import ROOT, State
from tests.e2e.api import Api
from tests.e2e.sdk import CLIENTS, PATIENCE_S


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on all tests comes after them, and what takes the stack down comes after everything."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in ("last", "late")])


def _local(command: str, state: State) -> None:
    environment = os.environ | {"LOCAL_STATE": str(state.folder)}
    subprocess.run([sys.executable, "-m", "local", command], cwd=ROOT, env=environment, check=True)


@pytest.fixture(scope="session")
def state() -> Iterator[State]:
    """The state folder of a running stack; a developer's own stack is not touched unless STACK_JSON names it."""
    named = os.environ.get("STACK_JSON")
    if named:
        yield State(Path(named).resolve().parent)
        return
    own = State(ROOT / ".local" / "test")
    _local("up", own)
    yield own
    _local("down", own)


@pytest.fixture(scope="session")
def stack(state: State) -> Stack:
    """Where the stack is and how to get in."""
    return stack_file.read(state)


@pytest.fixture(autouse=True)
def _named(request: pytest.FixtureRequest, stack: Stack) -> None:
    """Tell the IAM proxy which test runs: what it decides from now on, it decides for this one."""
    name = getattr(request.node, "originalname", request.node.name)
    httpx.post(f"{stack.iam_endpoint_url}/_local/test", json={"name": f"{request.path.stem}::{name}"}, timeout=30)


@pytest.fixture(scope="session")
def api(stack: Stack) -> Iterator[Api]:
    """The API as the first tenant."""
    with closing(Api(stack.api_url, stack.tenants[0].api_key)) as client:
        yield client


@pytest.fixture(scope="session")
def other_tenant(stack: Stack) -> Iterator[Api]:
    """The API as the second tenant."""
    with closing(Api(stack.api_url, stack.tenants[1].api_key)) as client:
        yield client


@pytest.fixture(params=CLIENTS)
def connect(request: pytest.FixtureRequest, stack: Stack) -> Callable[[str], Any]:
    """Make a client of the published SDK for an API key."""
    return lambda key: CLIENTS[request.param](key, base_url=stack.api_url, timeout=PATIENCE_S)


@pytest.fixture
def client(connect: Callable[[str], Any], stack: Stack) -> Iterator[Any]:
    """The published SDK as the first tenant."""
    with connect(stack.api_key) as opened:
        yield opened


@pytest.fixture
def alone(connect: Callable[[str], Any], stack: Stack) -> Iterator[Any]:
    """The published SDK as a tenant that nobody else is, with a key that may not erase."""
    tenant = f"sdk-{secrets.token_hex(6)}"
    made = admin(stack, "keys", "create", "--tenant", tenant, "--scopes", "read", "write")
    with connect(made["api_key"]) as opened:
        yield opened


def admin(stack: Stack, *arguments: str) -> Any:
    """Run the admin command against the stack, as an operator would."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT / "lambda_src"),
        "AWS_ENDPOINT_URL": stack.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": stack.region,
        "CONTROL_TABLE": stack.control_table,
        "PEPPER_PARAMETER": f"/{stack.deployment_name}/api-key-pepper",
        "SWEEPER_FUNCTION": f"{stack.deployment_name}-sweeper",
    }
    command = [sys.executable, "-m", "agent_memory.entrypoints.admin", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def dynamodb(stack: Stack) -> Any:
    """A client of the stack's DynamoDB, to look behind the API."""
    return boto3.client(
        "dynamodb",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
