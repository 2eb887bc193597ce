"""Every handler imports from the zip alone, and does nothing but import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from artifact.dependencies import AWS_SERVICES

HANDLERS = ("archiver", "authorizer", "working", "episodic", "health", "schema", "sweeper")

# Site packages are off (-S), so what the zip lacks is missing; any socket or AWS client fails the import.
PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import socket
def refuse(*_, **__):
    raise AssertionError("a socket was opened at import")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import importlib
module = importlib.import_module(f"agent_memory.entrypoints.{sys.argv[2]}")
assert callable(module.handler)
assert "boto3" not in sys.modules, "boto3 was imported"
assert "psycopg" not in sys.modules, "psycopg was imported"
outside = sorted(
    name for name, loaded in sys.modules.items()
    if "site-packages" in (getattr(loaded, "__file__", None) or "")
)
assert not outside, outside
"""


CLIENTS = """
import sys
sys.path.insert(0, sys.argv[1])
import boto3, psycopg, pydantic, sqlparse
assert psycopg.pq.__impl__ == "binary"
boto3.client(sys.argv[2], region_name="eu-west-1")
"""


def run_in_zip(program: str, unpacked: Path, argument: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(unpacked), argument],
        env={"PATH": os.defpath},
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_from_the_unpacked_zip_alone(unpacked_local: Path, handler: str) -> None:
    done = run_in_zip(PROBE, unpacked_local, handler)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", sorted(AWS_SERVICES))
def test_what_is_left_of_the_aws_sdk_still_makes_clients(unpacked_local: Path, service: str) -> None:
    done = run_in_zip(CLIENTS, unpacked_local, service)

    assert done.returncode == 0, done.stderr
