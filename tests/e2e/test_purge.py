"""Everything of an agent goes, from the archive too, and nothing of anybody else's."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from local import ministack
from local.stack import Stack
from tests.e2e.api import Api


@pytest.fixture
def archive(stack: Stack) -> Iterator[Any]:
    """The bucket as an operator sees it."""
    with closing(ministack.client("s3", stack.aws_endpoint_url)) as client:
        yield client


def left(archive: Any, stack: Stack, prefix: str) -> list[str]:
    page = archive.list_object_versions(Bucket=stack.bucket, Prefix=prefix)
    return [each["Key"] for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]]


def test_a_purge_removes_every_version_of_an_agents_objects(api: Api, stack: Stack, archive: Any) -> None:
    agent = f"agent-{uuid.uuid4().hex[:12]}"
    own, other = (f"{tenant.tenant_id}/{agent}/2026-01-01/1" for tenant in stack.tenants[:2])
    for key in (own, own, other):
        archive.put_object(Bucket=stack.bucket, Key=key, Body=b"{}")
    archive.delete_object(Bucket=stack.bucket, Key=own)  # which leaves a marker before two versions

    deleted = api.delete(f"/v1/memory/{agent}", expect=200)["deleted"]

    assert deleted["s3_objects"] == 2
    assert left(archive, stack, own) == []
    assert left(archive, stack, other) == [other]
    archive.delete_object(Bucket=stack.bucket, Key=other)
