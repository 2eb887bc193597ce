"""DynamoDB and SSM that moto serves over HTTP, and tables as Terraform makes them."""

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
from moto.server import ThreadedMotoServer

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from tests.strict import strict
from tests.transactions import cheap_transactions

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

REGION = "us-east-1"
_MEMORY_INDEXES = {"by_session": "session_key", "by_user": "user_key", "by_run": "run_key"}


@dataclass(frozen=True)
class Aws:
    """Where the services answer, and the names of the two tables and the bucket."""

    endpoint: str
    memory_table: str = "memory"
    control_table: str = "control"
    bucket: str = "archive"

    def client(self, make: Callable[[str], AwsJsonClient] = dynamodb.make_client) -> AwsJsonClient:
        """Make a client as a fresh function would; each thread needs its own."""
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": self.endpoint}):
            return make(REGION)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of one server for all tests."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    server._server.app = strict(server._server.app)  # type: ignore[union-attr]
    with cheap_transactions():
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str) -> Iterator[Aws]:
    """Empty tables: moto reads a whole table to answer from an index."""
    made = Aws(moto)
    with make_tables(made):
        yield made


@contextmanager
def make_tables(made: Aws) -> Iterator[None]:
    """Both tables, until they are no longer needed."""
    client = made.client()
    for shape in table_shapes(made):
        client.call("CreateTable", shape)
    yield
    for table in (made.memory_table, made.control_table):
        client.call("DeleteTable", {"TableName": table})


@pytest.fixture
def s3(aws: Aws) -> "Iterator[S3Client]":
    """A client, and the archive: empty, keeping every version."""
    with make_bucket(aws) as client:
        yield client


@contextmanager
def make_bucket(aws: Aws) -> "Iterator[S3Client]":
    """The archive, until it is no longer needed."""
    client = boto3.client("s3", region_name=REGION, endpoint_url=aws.endpoint)
    client.create_bucket(Bucket=aws.bucket)
    client.put_bucket_versioning(Bucket=aws.bucket, VersioningConfiguration={"Status": "Enabled"})
    yield client
    listed = client.list_object_versions(Bucket=aws.bucket)
    for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        client.delete_object(Bucket=aws.bucket, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=aws.bucket)
    client.close()


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test has used."""
    return f"test-{secrets.token_hex(8)}"


def table_shapes(made: Aws) -> list[dict[str, Any]]:
    """The memory table and the control table, as CreateTable takes them."""
    return [
        _table(made.memory_table, _MEMORY_INDEXES, "time_key"),
        _table(made.control_table, {"by_tenant": "tenant_key"}, "sk"),
    ]


def _table(name: str, indexes: dict[str, str], index_sort_key: str) -> dict[str, Any]:
    attributes = {"pk", "sk", index_sort_key, *indexes.values()}
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in sorted(attributes)],
        "KeySchema": _key_schema("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _key_schema(hash_key, index_sort_key),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, hash_key in indexes.items()
        ],
    }


def _key_schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
