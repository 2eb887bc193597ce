"""Every handler imports from the zip alone, and does nothing but import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HANDLERS = ("authorizer", "working", "episodic", "health", "schema")

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


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_from_the_unpacked_zip_alone(unpacked_local: Path, handler: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE, str(unpacked_local), handler],
        env={"PATH": os.defpath},
        cwd=unpacked_local,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
