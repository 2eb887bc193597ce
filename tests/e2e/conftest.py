"""The stack under test: the one that STACK_JSON names, or one of the tests' own that ends with them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack as stack_file
from local.api import Api
from local.stack import Stack
from local.state import ROOT, State


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


@pytest.fixture(scope="session")
def api(stack: Stack) -> Api:
    """The API as the first tenant."""
    return Api(stack.api_url, stack.tenants[0].api_key)


@pytest.fixture(scope="session")
def strangers_api(stack: Stack) -> Api:
    """The API as the second tenant."""
    return Api(stack.api_url, stack.tenants[1].api_key)
