"""Objects of the archive bucket, one by one."""

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from agent_memory.adapters.s3_versions import delete_versions, unavailable
from agent_memory.domain.archive import ORPHANED_AFTER

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef, ObjectIdentifierTypeDef

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}  # others are at the same object
_GONE = {"403", "404"}
_NOT_THERE = {"AccessDenied", "NoSuchKey"}  # who may not list a bucket is told 403 of what is not there
_OLD = ORPHANED_AFTER / 2


class _Condition(TypedDict, total=False):
    IfMatch: str
    IfNoneMatch: str


class S3ColdObjects:
    """`ColdObjects` on S3. Several threads may use it."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_once(self, key: str, content: bytes) -> None:
        """See `ColdObjects.put_once`; one call, and one or two more for an object that is there."""
        with unavailable():
            if not self._put(key, content, {"IfNoneMatch": "*"}) and self._is_old(key):
                # A copy makes a version of now: no byte of it comes from here, where one could be wrong.
                source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": key}
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=key,
                    CopySource=source,
                    MetadataDirective="REPLACE",
                    TaggingDirective="REPLACE",
                )

    def put_over(self, key: str, content: bytes) -> None:
        """See `ColdObjects.put_over`; two calls. What was there stays as an older version until it is removed."""
        with unavailable():
            try:
                there = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as exc:
                if _code(exc) not in _NOT_THERE:
                    raise
                self._put(key, content, {"IfNoneMatch": "*"})
                return
            if there["Body"].read() != content:
                self._put(key, content, {"IfMatch": there["ETag"]})

    def get(self, key: str) -> bytes | None:
        """See `ColdObjects.get`; one call."""
        with unavailable():
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as exc:
                if _code(exc) in _NOT_THERE:
                    return None
                raise

    def remove(self, key: str) -> int:
        """See `ColdObjects.remove`; two calls for up to 1,000 versions, and one that finds no more."""
        removed = 0
        with unavailable():
            while (size := self._remove_some(key)) is not None:
                removed += size
        return removed

    def _put(self, key: str, content: bytes, condition: "_Condition") -> bool:
        """False when the condition does not hold (any more)."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, **condition)
        except ClientError as exc:
            if _code(exc) not in _CHANGED:
                raise
            return False
        return True

    def _is_old(self, key: str) -> bool:
        """Whether it may soon count as one that nobody knows of; by the clock of S3, which wrote both times."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as exc:
            if _code(exc) in _GONE:
                return False
            raise
        age = parsedate_to_datetime(head["ResponseMetadata"]["HTTPHeaders"]["date"]) - head["LastModified"]
        return age >= _OLD

    def _remove_some(self, key: str) -> int | None:
        page = self._client.list_object_versions(Bucket=self._bucket, Prefix=key)
        # Other keys may begin with this one; it sorts before them, so it is on the first page if it is there.
        versions = [each for each in page.get("Versions", []) if each["Key"] == key]
        markers = [each for each in page.get("DeleteMarkers", []) if each["Key"] == key]
        places: list[ObjectIdentifierTypeDef] = [
            {"Key": key, "VersionId": each["VersionId"]} for each in (*versions, *markers)
        ]
        if not places:
            return None
        delete_versions(self._client, self._bucket, places)
        return sum(each["Size"] for each in versions)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))
