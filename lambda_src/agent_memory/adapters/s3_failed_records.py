"""The bucket in which Lambda keeps what a function did not take of a stream."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agent_memory.adapters.s3_versions import unavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# Where Lambda puts them; each name ends in the time.
_PREFIX = "aws/lambda/"


class S3FailedRecords:
    """`FailedRecords` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def names(self) -> Iterator[str]:
        """See `FailedRecords.names`; one call for 1,000, in the order of shards and then of time."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": _PREFIX}
        while True:
            with unavailable():
                page = self._client.list_objects_v2(**request)
            yield from (each["Key"] for each in page.get("Contents", []))
            if not page["IsTruncated"]:
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def get(self, name: str) -> bytes | None:
        """See `FailedRecords.get`; one call."""
        with unavailable():
            try:
                return self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None

    def remove(self, name: str) -> None:
        """See `FailedRecords.remove`; one call."""
        with unavailable():
            self._client.delete_object(Bucket=self._bucket, Key=name)
