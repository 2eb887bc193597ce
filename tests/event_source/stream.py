"""A table's stream, read with DescribeStream, GetShardIterator and GetRecords into records as Lambda passes them on."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal

from agent_memory.adapters.aws_json import AwsJsonClient

Record = dict[str, Any]
Shards = dict[str, list[Record]]
SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who removes items whose time is over."""


def make_client(region: str) -> AwsJsonClient:
    """A client that leaves values as they are on the wire, which is how functions get them."""
    return AwsJsonClient("dynamodb", "DynamoDBStreams_20120810", region, protocol="1.0")


class Stream:
    """Reads each record once: from the oldest on, or what comes after the first reading.

    `clock` stamps when a record was read first, so that ages follow a clock that is turned; `expired` says which
    removals were the work of time to live.
    """

    def __init__(
        self,
        client: AwsJsonClient,
        arn: str,
        clock: Callable[[], datetime],
        expired: Callable[[Record], bool] = lambda _: False,
        start: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON",
    ) -> None:
        self._client = client
        self._arn = arn
        self._clock = clock
        self._expired = expired
        self._start = start
        self._iterators: dict[str, str] = {}

    def read(self) -> Shards:
        """What has come since the last time, by shard."""
        described = self._client.call("DescribeStream", {"StreamArn": self._arn})["StreamDescription"]
        return {shard["ShardId"]: list(self._records(shard["ShardId"])) for shard in described["Shards"]}

    def _records(self, shard: str) -> Iterator[Record]:
        if shard not in self._iterators:
            asked = {"StreamArn": self._arn, "ShardId": shard, "ShardIteratorType": self._start}
            self._iterators[shard] = self._client.call("GetShardIterator", asked)["ShardIterator"]
        while True:
            answer = self._client.call("GetRecords", {"ShardIterator": self._iterators[shard]})
            self._iterators[shard] = answer["NextShardIterator"]
            if not answer["Records"]:
                return
            yield from map(self._as_passed_on, answer["Records"])

    def _as_passed_on(self, record: Record) -> Record:
        told = {**record["dynamodb"], "ApproximateCreationDateTime": self._clock().timestamp()}
        passed = {**record, "dynamodb": told, "eventSourceARN": self._arn}
        if record["eventName"] == "REMOVE" and self._expired(record):
            passed["userIdentity"] = SERVICE
        return passed


def sequence(record: Record) -> str:
    """What a function names a record by."""
    return str(record["dynamodb"]["SequenceNumber"])


def arrived(record: Record) -> float:
    """When, in seconds since 1970."""
    return float(record["dynamodb"]["ApproximateCreationDateTime"])
