"""What the archive promises of a purge: every version of the agent's objects goes, nobody else's does."""

from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from agent_memory.adapters.s3_archive import S3Archive, agent_prefix
from agent_memory.errors import StoreUnavailable
from tests.fix_aws import REGION, Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

LOOK_ALIKES = ["a", "a/", "a/b", "a#b", "~YQ", "", "A", "x" * 256, "é" * 128, ".", ".."]


@pytest.fixture
def archive(aws: Aws, s3: "S3Client") -> S3Archive:
    return S3Archive(s3, aws.bucket)


def keys(s3: "S3Client", bucket: str) -> list[str]:
    listed = s3.list_object_versions(Bucket=bucket)
    return sorted(each["Key"] for each in (*listed.get("Versions", []), *listed.get("DeleteMarkers", [])))


def purged(archive: S3Archive, tenant: str, agent: str) -> tuple[int, int]:
    parts = list(archive.purge(tenant, agent))
    return sum(part.counts["s3_objects"] for part in parts), sum(part.s3_bytes for part in parts)


def test_all_versions_and_delete_markers_go(archive: S3Archive, aws: Aws, s3: "S3Client") -> None:
    prefix = agent_prefix("acme", "planner")
    for body in (b"one", b"three"):
        s3.put_object(Bucket=aws.bucket, Key=f"{prefix}2026/11/20/x.jsonl.gz", Body=body)
    s3.delete_object(Bucket=aws.bucket, Key=f"{prefix}2026/11/20/x.jsonl.gz")
    s3.put_object(Bucket=aws.bucket, Key=f"{prefix}y", Body=b"y")

    assert purged(archive, "acme", "planner") == (3, 9)
    assert keys(s3, aws.bucket) == []
    assert purged(archive, "acme", "planner") == (0, 0)


def test_more_objects_than_a_page_lists_go(
    archive: S3Archive, aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "list_object_versions", partial(s3.list_object_versions, MaxKeys=10))
    for number in range(25):
        s3.put_object(Bucket=aws.bucket, Key=f"{agent_prefix('acme', 'planner')}{number}", Body=b"")

    assert purged(archive, "acme", "planner") == (25, 0)
    assert keys(s3, aws.bucket) == []


@pytest.mark.parametrize("agent", ["a", ".."])
def test_agents_and_tenants_whose_names_look_alike_keep_theirs(
    archive: S3Archive, aws: Aws, s3: "S3Client", agent: str
) -> None:
    places = [(tenant, each) for tenant in ("acme", "acme-2", "acm") for each in LOOK_ALIKES if each]
    for place in places:
        s3.put_object(Bucket=aws.bucket, Key=f"{agent_prefix(*place)}x", Body=b"x")

    assert purged(archive, "acme", agent) == (1, 1)

    left = [f"{agent_prefix(*place)}x" for place in places if place != ("acme", agent)]
    assert keys(s3, aws.bucket) == sorted(left)
    assert len(set(left)) == len(left)


def test_a_bucket_that_is_not_there_is_unavailable_and_not_empty(aws: Aws, s3: "S3Client") -> None:
    with pytest.raises(StoreUnavailable):
        list(S3Archive(s3, "another-bucket").purge("acme", "planner"))


def test_an_archive_that_does_not_answer_is_unavailable() -> None:
    client = boto3.client("s3", region_name=REGION, endpoint_url="http://127.0.0.1:1")

    with pytest.raises(StoreUnavailable):
        list(S3Archive(client, "archive").purge("acme", "planner"))


def test_an_object_that_could_not_be_deleted_is_an_error(
    archive: S3Archive, aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=aws.bucket, Key=f"{agent_prefix('acme', 'planner')}x", Body=b"x")

    def refuse(**_: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": "x", "Code": "AccessDenied", "Message": "no"}]}

    monkeypatch.setattr(s3, "delete_objects", refuse)

    with pytest.raises(StoreUnavailable):
        list(archive.purge("acme", "planner"))
