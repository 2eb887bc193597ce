"""The stores of one run: tables and buckets in the shape of the modules, in a stand-in that many runs share."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_memory.adapters.aws_json import AwsJsonClient
from local import ministack, services
from local.ports import Ports, ports
from local.state import State
from tests.fix_aws import Aws, table_shapes

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@contextlib.contextmanager
def stand_in(folder: Path) -> Iterator[Ports]:
    """MiniStack alone, until the block ends."""
    state = State(folder)
    chosen = ports(state)
    services.ensure_ministack(state, chosen)
    try:
        yield chosen
    finally:
        services.stop(state, "ministack")
        state.remove()


@dataclass(frozen=True)
class Stores:
    """Where the records of a run are."""

    aws: Aws
    failed_bucket: str
    stream_arn: str
    s3: "S3Client"  # that no fault comes near

    def dynamodb(self) -> AwsJsonClient:
        """A client that no fault comes near."""
        return self.aws.client()


@contextlib.contextmanager
def made(at: Ports) -> Iterator[Stores]:
    """Tables and buckets of a run's own."""
    name = f"run-{secrets.token_hex(4)}"
    aws = Aws(ministack.endpoint(at), f"{name}-memory", f"{name}-control", f"{name}-archive")
    client, failed = aws.client(), f"{name}-failed"
    memory, control = table_shapes(aws)
    described = client.call("CreateTable", memory | {"StreamSpecification": _STREAM})["TableDescription"]
    client.call("CreateTable", control)
    s3: S3Client = ministack.client("s3", aws.endpoint)
    for bucket in (aws.bucket, failed):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=aws.bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        yield Stores(aws, failed, described["LatestStreamArn"], s3)
    finally:
        for table in (aws.memory_table, aws.control_table):
            client.call("DeleteTable", {"TableName": table})
        for bucket in (aws.bucket, failed):
            for version in versions(s3, bucket):
                s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
            s3.delete_bucket(Bucket=bucket)
        s3.close()


def versions(s3: "S3Client", bucket: str) -> Iterator[dict[str, Any]]:
    """Every version and every delete marker of a bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from map(dict, page.get("Versions", []))
        yield from map(dict, page.get("DeleteMarkers", []))
