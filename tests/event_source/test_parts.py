"""The mapping, its filters, and what is written of records that are given up."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.event_source.discarded import Discarded, body, keep
from tests.event_source.fake_stream import ARN, MAPPING, SHARD
from tests.event_source.filters import matches
from tests.event_source.mapping import Mapping

AT = datetime(2026, 11, 20, 9, 30, 5, 250_000, UTC)
RECORD: dict[str, Any] = {
    "eventName": "MODIFY",
    "dynamodb": {
        "Keys": {"pk": {"S": "acme#planner#0"}, "sk": {"S": "EPISODE#1"}},
        "NewImage": {"count": {"N": "3"}},
        "SequenceNumber": "100",
        "ApproximateCreationDateTime": AT.timestamp(),
    },
}


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"eventName": [{"anything-but": ["MODIFY"]}]}, False),
        ({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EPISODE#"}]}}}}, True),
        ({"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "SESSION#"}]}}}}, False),
        ({"dynamodb": {"Keys": {"sk": {"S": [{"anything-but": {"prefix": "EPISODE#"}}]}}}}, False),
        ({"dynamodb": {"NewImage": {"evict_at": {"N": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"count": {"N": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"count": [{"exists": True}]}}}, False),
        ({"dynamodb": {"OldImage": {"body_key": {"S": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"NewImage": {"count": {"N": [{"numeric": [">", 1]}]}}}}, False),
        ({"userIdentity": {"type": ["Service"]}}, False),
        ({"eventName": ["MODIFY"], "userIdentity": {"type": ["Service"]}}, False),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SequenceNumber": ["100"]}}]}, True),
    ],
)
def test_a_filter_holds_as_eventbridge_says(pattern: Any, holds: bool) -> None:
    assert matches(pattern, RECORD) is holds


def test_a_mapping_is_read_as_lambda_describes_it() -> None:
    described = {
        "UUID": "u",
        "FunctionArn": "f",
        "EventSourceArn": "s",
        "BatchSize": 1000,
        "MaximumBatchingWindowInSeconds": 60,
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 0,
        "MaximumRecordAgeInSeconds": 3600,
        "ParallelizationFactor": 4,
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::failed"}},
    }

    read = Mapping.of(described)

    assert read == Mapping("u", "f", "s", 1000, 60, ({"eventName": ["INSERT"]},), True, True, 0, 3600, 4, "failed")


def test_what_a_mapping_does_not_say_is_what_lambda_takes() -> None:
    assert Mapping.of({"UUID": "u", "FunctionArn": "f", "EventSourceArn": "s"}) == Mapping("u", "f", "s")


def test_records_that_are_given_up_are_written_whole() -> None:
    given_up = Discarded(SHARD, (RECORD,), "RetryAttemptsExhausted", 4, AT)

    said = json.loads(body(MAPPING, given_up))

    assert said["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert said["requestContext"]["approximateInvokeCount"] == 4
    assert (said["version"], said["timestamp"]) == ("1.0", "2026-11-20T09:30:05.250Z")
    assert said["DDBStreamBatchInfo"] == {
        "shardId": SHARD,
        "startSequenceNumber": "100",
        "endSequenceNumber": "100",
        "approximateArrivalOfFirstRecord": "2026-11-20T09:30:05Z",
        "approximateArrivalOfLastRecord": "2026-11-20T09:30:05Z",
        "batchSize": 1,
        "streamArn": ARN,
    }
    assert json.loads(said["payload"]) == {"Records": [RECORD]}


def test_without_a_destination_they_are_lost() -> None:
    given_up = Discarded(SHARD, (RECORD,), "MaximumRecordAgeExceeded", 0, AT)

    assert keep(boto3.client("s3", region_name="us-east-1"), MAPPING, given_up) is None
