"""What objects of the cold tier owe to S3 as it is, not as a stand-in is."""

import boto3
import pytest
from botocore.stub import Stubber

from agent_memory.adapters.s3_objects import S3ColdObjects
from agent_memory.errors import StoreUnavailable
from tests.fix_aws import REGION


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_what_is_not_there_is_none_even_for_who_may_not_list_the_bucket(code: str, status: int) -> None:
    client = boto3.client("s3", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as s3:
        s3.add_client_error("get_object", code, http_status_code=status)

        assert S3ColdObjects(client, "archive").get("acme/a/2026-11-20/x.jsonl.gz") is None


def test_a_bucket_that_does_not_answer_is_not_an_empty_one() -> None:
    client = boto3.client("s3", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as s3:
        s3.add_client_error("get_object", "SlowDown", http_status_code=503)

        with pytest.raises(StoreUnavailable):
            S3ColdObjects(client, "archive").get("acme/a/2026-11-20/x.jsonl.gz")
