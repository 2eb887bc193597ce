"""What Lambda writes of records that it gives up: an object in S3 with the whole event."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from tests.event_source.mapping import Mapping
from tests.event_source.stream import Record, arrived, sequence

Condition = Literal["RetryAttemptsExhausted", "MaximumRecordAgeExceeded"]


class Puts(Protocol):
    """What boto3's S3 client offers."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> Any:  # noqa: N803 - as boto3 names them
        ...


@dataclass(frozen=True)
class Discarded:
    """A batch that is not delivered any more."""

    shard: str
    records: tuple[Record, ...]
    condition: Condition
    invoked: int
    at: datetime


def body(mapping: Mapping, given_up: Discarded) -> bytes:
    """The invocation record of a stream's batch, with the payload that only S3 gets."""
    first, last = given_up.records[0], given_up.records[-1]
    said: dict[str, Any] = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping.function_arn,
            "condition": given_up.condition,
            "approximateInvokeCount": given_up.invoked,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": f"{given_up.at:%Y-%m-%dT%H:%M:%S}.{given_up.at.microsecond // 1000:03}Z",
        "DDBStreamBatchInfo": {
            "shardId": given_up.shard,
            "startSequenceNumber": sequence(first),
            "endSequenceNumber": sequence(last),
            "approximateArrivalOfFirstRecord": _second(first),
            "approximateArrivalOfLastRecord": _second(last),
            "batchSize": len(given_up.records),
            "streamArn": mapping.stream_arn,
        },
        "payload": json.dumps({"Records": list(given_up.records)}),
    }
    return json.dumps(said).encode()


def keep(s3: Puts, mapping: Mapping, given_up: Discarded) -> str | None:
    """Write it to the mapping's bucket; the key, or None where there is no destination and the records are lost."""
    if mapping.failed_bucket is None:
        return None
    at = given_up.at
    place = f"aws/lambda/{mapping.uuid}/{given_up.shard}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    s3.put_object(Bucket=mapping.failed_bucket, Key=place, Body=body(mapping, given_up))
    return place


def _second(record: Record) -> str:
    return f"{datetime.fromtimestamp(arrived(record), UTC):%Y-%m-%dT%H:%M:%SZ}"
