"""What the sweep owes to S3 and DynamoDB: pages, deletion markers, lost answers, and objects that age."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from agent_memory.adapters import s3_objects
from agent_memory.adapters.dynamodb_sweep import DynamoHotScan, DynamoSweepStore
from agent_memory.adapters.s3_objects import S3ColdObjects
from agent_memory.adapters.s3_sweep import S3Bucket
from agent_memory.domain.sweep import Agent, Sweep
from agent_memory.errors import StoreUnavailable
from tests.contract.cold import cold_on_aws
from tests.fakes.clock import Clock
from tests.faults import faulty
from tests.fix_aws import Aws

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def test_versions_and_markers_are_listed_over_pages(aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "list_object_versions", partial(s3.list_object_versions, MaxKeys=3))
    keys = [f"acme/planner/2026-11-20/{number}.jsonl.gz" for number in range(5)]
    for key in keys:
        for content in (b"1", b"22"):
            s3.put_object(Bucket=aws.bucket, Key=key, Body=content)
    s3.delete_object(Bucket=aws.bucket, Key=keys[2])
    bucket = S3Bucket(s3, aws.bucket)

    found: list[Any] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page, after = bucket.versions(after)
        found, pages = [*found, *page], pages + 1

    assert pages >= 4
    assert [sorted(each.size for each in found if each.key == key) for key in keys] == [
        [0, 1, 2] if key == keys[2] else [1, 2] for key in keys
    ]
    bucket.remove(found)
    assert bucket.versions(None) == ([], None)


def test_agents_are_listed_over_pages(aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "list_objects_v2", partial(s3.list_objects_v2, MaxKeys=2))
    for tenant in ("acme", "globex"):
        for number in range(5):
            s3.put_object(Bucket=aws.bucket, Key=f"{tenant}/a{number}/2026-11-20/x.jsonl.gz", Body=b"")
    s3.put_object(Bucket=aws.bucket, Key="acme/~not base64/x", Body=b"")
    s3.put_object(Bucket=aws.bucket, Key="aws/lambda", Body=b"")
    bucket = S3Bucket(s3, aws.bucket)

    assert len(bucket.agents(None, 100)) == 10
    assert bucket.agents(Agent("acme", "a3"), 3) == [Agent("acme", "a4"), Agent("globex", "a0"), Agent("globex", "a1")]


def test_a_bucket_that_keeps_a_version_is_an_error(aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket=aws.bucket, Key="acme/planner/2026-11-20/x.jsonl.gz", Body=b"")
    bucket = S3Bucket(s3, aws.bucket)

    def refuse(**_: Any) -> dict[str, Any]:
        return {"Errors": [{"Key": "x", "Code": "AccessDenied", "Message": "no"}]}

    monkeypatch.setattr(s3, "delete_objects", refuse)

    with pytest.raises(StoreUnavailable):
        bucket.remove(bucket.versions(None)[0])


def test_a_bucket_that_is_not_there_is_unavailable_and_not_empty(aws: Aws, s3: "S3Client") -> None:
    for ask in (lambda: S3Bucket(s3, "another").agents(None, 1), lambda: S3Bucket(s3, "another").versions(None)):
        with pytest.raises(StoreUnavailable):
            ask()


def test_a_scan_goes_on_from_page_to_page(
    aws: Aws, s3: "S3Client", clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold, client = cold_on_aws(aws, s3), aws.client()
    keys = {cold.append("acme", clock(), agent_id=f"a{number}")[0] for number in range(7)}
    call = client.call
    monkeypatch.setattr(client, "call", lambda name, request: call(name, {**request, "Limit": 3}))
    scan = DynamoHotScan(client, aws.memory_table)

    found: list[Any] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page, after = scan.unarchived(clock(), after)
        found, pages = [*found, *page], pages + 1

    assert pages > 2
    assert {each.key for each in found} == keys
    assert len(found) == 7


def test_a_place_whose_answer_was_lost_is_kept(aws: Aws, clock: Clock) -> None:
    with faulty(aws.endpoint) as service:
        store = DynamoSweepStore(Aws(service.endpoint).client(), aws.control_table)
        service.plan("PutItem", "lose answer")
        assert store.keep(Sweep(clock()), 0)
        service.plan("PutItem", "lose answer")
        assert store.keep(Sweep(clock(), "small"), 1)

    assert not store.keep(Sweep(clock(), "small"), 1)


@pytest.mark.parametrize(("age", "versions"), [(timedelta(days=1), 1), (timedelta(0), 2)])
def test_an_object_that_is_old_is_written_anew_under_its_name(
    aws: Aws, s3: "S3Client", monkeypatch: pytest.MonkeyPatch, age: timedelta, versions: int
) -> None:
    """A sweep may be about to remove the version that is there."""
    monkeypatch.setattr(s3_objects, "_OLD", age)
    objects = S3ColdObjects(s3, aws.bucket)
    for _ in range(2):
        objects.put_once("acme/planner/2026-11-20/x.jsonl.gz", b"content")

    assert len(S3Bucket(s3, aws.bucket).versions(None)[0]) == versions
    assert objects.get("acme/planner/2026-11-20/x.jsonl.gz") == b"content"
