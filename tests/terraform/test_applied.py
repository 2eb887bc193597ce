"""The stores, applied to the stand-in and then used as the functions use them."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from pytest_terraform import terraform  # type: ignore[import-untyped]

from local import ministack
from local import terraform as installed

# One apply for all tests of this file; the decorator comes without types.
applied = cast("Callable[[Callable[..., None]], Callable[..., None]]", terraform("stores", scope="module"))


@pytest.fixture(scope="module", autouse=True)
def stand_in_only(stand_in: dict[str, str]) -> Iterator[None]:
    """Lead the Terraform that pytest-terraform runs to the stand-in, for the tests of this file."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(installed.environment() | stand_in)
    os.environ.update({"TF_CLI_ARGS_init": " ".join(installed.provider_arguments())})
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def dynamodb(stand_in: dict[str, str]) -> Any:
    """A client of the stand-in's DynamoDB."""
    return ministack.client("dynamodb", stand_in["AWS_ENDPOINT_URL"])


@pytest.fixture
def s3(stand_in: dict[str, str]) -> Any:
    """A client of the stand-in's S3."""
    return ministack.client("s3", stand_in["AWS_ENDPOINT_URL"])


@applied
def test_a_record_is_found_by_its_user_through_the_index(stores: Any, dynamodb: Any) -> None:
    table = stores.outputs["table_name"]["value"]
    record = {"pk": {"S": "acme#a#0"}, "sk": {"S": "EPISODE#1"}, "user_key": {"S": "acme#u"}, "time_key": {"S": "1"}}
    dynamodb.put_item(TableName=table, Item=record | {"content": {"S": "secret"}})

    found = dynamodb.query(
        TableName=table,
        IndexName="by_user",
        KeyConditionExpression="user_key = :user",
        ExpressionAttributeValues={":user": {"S": "acme#u"}},
    )

    assert found["Items"] == [record]


@applied
def test_records_expire_by_the_attribute_that_the_code_writes(stores: Any, dynamodb: Any) -> None:
    described = dynamodb.describe_time_to_live(TableName=stores.outputs["table_name"]["value"])

    assert described["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "evict_at"}


@applied
def test_a_change_is_in_the_stream_with_both_images(stores: Any, dynamodb: Any) -> None:
    table = dynamodb.describe_table(TableName=stores.outputs["table_name"]["value"])["Table"]

    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@applied
def test_the_table_can_be_restored_to_a_point_in_time(stores: Any, dynamodb: Any) -> None:
    backups = dynamodb.describe_continuous_backups(TableName=stores.outputs["table_name"]["value"])
    description = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]

    assert description["PointInTimeRecoveryStatus"] == "ENABLED"


@applied
def test_a_deleted_object_can_be_brought_back(stores: Any, s3: Any) -> None:
    bucket = stores.outputs["bucket_name"]["value"]
    s3.put_object(Bucket=bucket, Key="acme/a/1.jsonl.gz", Body=b"turns")
    s3.delete_object(Bucket=bucket, Key="acme/a/1.jsonl.gz")

    (version,) = s3.list_object_versions(Bucket=bucket, Prefix="acme/a/1")["Versions"]
    body = s3.get_object(Bucket=bucket, Key="acme/a/1.jsonl.gz", VersionId=version["VersionId"])["Body"]

    assert body.read() == b"turns"


@applied
def test_the_bucket_refuses_whoever_comes_without_tls(stores: Any, s3: Any) -> None:
    policy = json.loads(s3.get_bucket_policy(Bucket=stores.outputs["bucket_name"]["value"])["Policy"])

    (denied,) = [each for each in policy["Statement"] if each["Effect"] == "Deny" and "Bool" in each["Condition"]]
    assert denied["Condition"]["Bool"] == {"aws:SecureTransport": "false"}
    assert denied["Principal"] in ("*", {"AWS": "*"})


@applied
def test_the_bucket_is_not_public_and_nobody_can_make_it_so(stores: Any, s3: Any) -> None:
    block = s3.get_public_access_block(Bucket=stores.outputs["bucket_name"]["value"])

    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}


@applied
def test_small_objects_stay_where_they_are_and_old_versions_go(stores: Any, s3: Any) -> None:
    rules = s3.get_bucket_lifecycle_configuration(Bucket=stores.outputs["bucket_name"]["value"])["Rules"]

    assert any("NoncurrentVersionExpiration" in rule for rule in rules)
    assert {step["StorageClass"] for rule in rules for step in rule.get("Transitions", [])} <= {
        "STANDARD_IA",
        "INTELLIGENT_TIERING",
        "GLACIER_IR",
    }
