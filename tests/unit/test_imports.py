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
        (
            "knowledge",
            {"boto3", "botocore", "psycopg", "sqlparse", "jsonschema", "pystache", "snowballstemmer", "yaml"},
        ),
        ("unified", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("privacy", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("keys", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("health", {"boto3", "botocore", "psycopg", "sqlparse"}),
        ("schema", {"boto3", "botocore"}),
        ("sweeper", {"boto3", "botocore", "psycopg", "sqlparse"}),
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


CLIENTS = """
import sys
from agent_memory.bootstrap import {part}
{part}.{client}()
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
SETTINGS = {
    "AWS_REGION": "us-east-1",
    "MEMORY_TABLE": "memory",
    "CONTROL_TABLE": "control",
    "EMBEDDING_CHUNK_TOKENS": "200",
    "DATABASE_CLUSTER_ARN": "cluster",
    "DATABASE_APP_SECRET_ARN": "secret",
    "DATABASE_NAME": "memory",
    "DATABASE_HOST": "localhost",
    "DATABASE_PORT": "5432",
    "DATABASE_USER": "memory_app",
    "EMBEDDING_MODEL": "model",
    "EMBEDDING_DIMENSIONS": "1024",
    "EMBEDDING_TIMEOUT_S": "18",
}


@pytest.mark.parametrize(
    ("part", "client", "connection", "unwanted"),
    [
        ("database", "database", "data_api", {"boto3", "botocore", "psycopg", "pydantic"}),
        ("database", "database", "direct", {"boto3", "botocore"}),
        ("database", "database", "proxy", {"boto3", "botocore"}),
        ("models", "embeddings", "data_api", {"boto3", "botocore", "psycopg", "concurrent"}),
        ("episodes", "episodic", "data_api", {"boto3", "botocore", "psycopg"}),
        ("layers", "unified", "data_api", {"boto3", "botocore", "psycopg"}),
    ],
)
def test_the_stores_and_the_model_are_reached_without_the_aws_sdk(
    part: str, client: str, connection: str, unwanted: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLIENTS.format(part=part, client=client)],
        env={"PYTHONPATH": str(SOURCES), "DATABASE_CONNECTION": connection, **SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()) & unwanted == set()
