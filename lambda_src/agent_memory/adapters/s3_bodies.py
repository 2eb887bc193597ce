"""Large values in the archive bucket, and links by which clients read and write them without us."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.adapters.s3_archive import make_client
from agent_memory.adapters.sigv4 import CredentialSource, own_role
from agent_memory.domain.bodies import LINK_S, Digest
from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

AnswerT = TypeVar("AnswerT")
# Signed for one region and host, as S3 wants links; and a client that uploads has to send nothing but the bytes.
_LIMITS = Config(
    connect_timeout=2,
    read_timeout=15,  # copying 100 MB
    retries={"total_max_attempts": 2},
    signature_version="s3v4",
    s3={"addressing_style": "virtual"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
# Who may not list a bucket is told 403 of what is not there.
_NOT_THERE = {"403", "404", "AccessDenied", "NoSuchKey", "NotFound"}
_CHUNK = 1 << 20


class S3Bodies:
    """`Bodies` in one bucket that keeps versions; a receipt is the id of a version."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def of(cls, region: str, bucket: str, credentials: CredentialSource = own_role) -> "S3Bodies":
        """With a client of its own."""
        return cls(make_client(region, credentials, _LIMITS), bucket)

    def put(self, key: str, content: bytes) -> str:
        """See `Bodies.put`; one call."""
        with _answering():
            answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/json")
            return answer.get("VersionId", "")

    def size(self, key: str) -> int | None:
        """See `Bodies.size`; one call."""
        with _answering():
            head = _found(lambda: self._client.head_object(Bucket=self._bucket, Key=key))
            return head and head["ContentLength"]

    def copy(self, source: str, key: str) -> str | None:
        """See `Bodies.copy`; one call. What kind of content the client named is not taken over: nobody checked it."""
        with _answering():
            copied = _found(
                lambda: self._client.copy_object(
                    Bucket=self._bucket,
                    Key=key,
                    CopySource={"Bucket": self._bucket, "Key": source},
                    MetadataDirective="REPLACE",
                    ContentType="application/octet-stream",
                )
            )
            return copied and copied.get("VersionId", "")

    def read(self, key: str) -> bytes | None:
        """See `Bodies.read`; one call."""
        with _answering():
            found = _found(lambda: self._client.get_object(Bucket=self._bucket, Key=key))
            return found and found["Body"].read()

    def digest(self, key: str) -> Digest | None:
        """See `Bodies.digest`; one call, a megabyte at a time."""
        with _answering():
            found = _found(lambda: self._client.get_object(Bucket=self._bucket, Key=key))
            if found is None:
                return None
            read, size = hashlib.sha256(), 0
            for chunk in found["Body"].iter_chunks(_CHUNK):
                read.update(chunk)
                size += len(chunk)
            return Digest(read.hexdigest(), size)

    def withdraw(self, key: str, receipt: str) -> None:
        """See `Bodies.withdraw`; one call."""
        with _answering():
            self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=receipt)

    def link(self, key: str) -> str:
        """See `Bodies.link`; no call, but maybe one for a session."""
        with _answering():
            return self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=LINK_S
            )

    def upload_link(self, key: str, size: int) -> str:
        """See `Bodies.upload_link`; as `link`. The length is signed too, so nothing larger is ever taken."""
        with _answering():
            return self._client.generate_presigned_url(
                "put_object", Params={"Bucket": self._bucket, "Key": key, "ContentLength": size}, ExpiresIn=LINK_S
            )


def _found(ask: Callable[[], AnswerT]) -> AnswerT | None:
    try:
        return ask()
    except ClientError as exc:
        if exc.response.get("Error", {}).get("Code") in _NOT_THERE:
            return None
        raise


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError):
        raise StoreUnavailable("the store of large values did not do its work") from None
