"""What a cold start loads, and what it must not."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent.parent / "lambda_src"
# Without a network and without settings: importing a handler may touch neither.
PROGRAM = """
import socket, sys
def refuse(*_, **__): raise AssertionError("a socket was opened by an import")
socket.socket.connect = refuse
before = set(sys.modules)
import agent_memory.entrypoints.{function}
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [
        ("authorizer", {"boto3", "botocore", "psycopg", "pydantic", "ssl", "http"}),
        ("working", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("episodic", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("unified", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("privacy", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("health", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("schema", {"boto3", "botocore"}),
    ],
)
def test_a_handler_is_imported_without_settings_sockets_or_what_it_does_not_need(
    function: str, unwanted: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(function=function)],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()) & unwanted == set()
