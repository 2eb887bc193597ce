"""What an S3 request does, bucket in the path: actions, bucket or object, and the keys of conditions that it fills.

Only the requests that are written below are known; one with another parameter is another request.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from local.iam.evaluator import Request, context
from local.iam.message import Message, Unreadable, decoded, single

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST = "127.0.0.1:"  # before any other, the name of a bucket may stand
_LISTING = {"prefix", "delimiter", "max-keys", "encoding-type"}
_LIST = _LISTING | {"list-type", "continuation-token", "start-after", "fetch-owner", "marker"}
_LIST_VERSIONS = _LISTING | {"versions", "key-marker", "version-id-marker"}
_UPLOAD = {"partNumber", "uploadId"}
_PRESIGNED = re.compile(
    r"X-Amz-(Algorithm|Content-Sha256|Credential|Date|Expires|Security-Token|Signature|SignedHeaders)"
)
_ENCRYPTION = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
_GRANTS = re.compile(r"x-amz-acl|x-amz-grant-.*")
_HARMLESS = {"x-id"}


def requests(message: Message) -> list[Request]:
    """Everything that IAM is asked about a request."""
    bucket, _, key = decoded(message.path).removeprefix("/").partition("/")
    if not _BUCKET.fullmatch(bucket) or not message.headers.get("host", "").startswith(_HOST):
        raise Unreadable("the bucket is not in the path")
    if "x-amz-target" in message.headers:
        raise Unreadable("an operation of another service")
    given = single(message.query)
    _check_in_time(given)
    query = {name: value for name, value in given.items() if not _PRESIGNED.fullmatch(name) and name not in _HARMLESS}
    arn = f"arn:aws:s3:::{bucket}"
    return list(_of_object(message, f"{arn}/{key}", query) if key else _of_bucket(message, arn, query))


def _check_in_time(query: dict[str, str]) -> None:
    if "X-Amz-Expires" in query:
        signed = datetime.strptime(query.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) > signed + timedelta(seconds=int(query["X-Amz-Expires"])):
            raise Unreadable("a link that has expired")


def _of_bucket(message: Message, arn: str, query: dict[str, str]) -> Iterator[Request]:
    if message.method == "POST" and query == {"delete": ""}:
        yield from _deletions(message.body, arn)
    elif message.method == "HEAD" and not query:
        yield Request("s3:ListBucket", arn)
    elif message.method == "GET" and query == {"location": ""}:
        yield Request("s3:GetBucketLocation", arn)
    elif message.method == "GET" and "versions" in query and query.keys() <= _LIST_VERSIONS:
        yield Request("s3:ListBucketVersions", arn, _listing(query))
    elif message.method == "GET" and query.keys() <= _LIST:
        yield Request("s3:ListBucket", arn, _listing(query))
    else:
        raise Unreadable("a request of a bucket that is not known here")


def _listing(query: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {f"s3:{name}": (query[name],) for name in ("prefix", "delimiter", "max-keys") if name in query}


def _deletions(body: bytes, arn: str) -> Iterator[Request]:
    try:
        asked = ET.fromstring(body)  # noqa: S314 - what a test of this machine sent to it
    except ET.ParseError:
        raise Unreadable("no XML") from None
    objects = [each for each in asked if each.tag.rpartition("}")[2] == "Object"]
    if not objects:
        raise Unreadable("a deletion of nothing")
    for each in objects:
        parts = single([(part.tag.rpartition("}")[2], part.text or "") for part in each])
        if parts.keys() - {"Key", "VersionId", "ETag"} or not parts.get("Key"):
            raise Unreadable("a deletion that is not known here")
        yield Request(_versioned("s3:DeleteObject", version="VersionId" in parts), f"{arn}/{parts['Key']}")


def _of_object(message: Message, arn: str, query: dict[str, str]) -> Iterator[Request]:
    method, version = message.method, "versionId" in query
    names = query.keys() - {"versionId"}
    if method in {"GET", "HEAD"} and all(name.startswith("response-") or name == "partNumber" for name in names):
        yield Request(_versioned("s3:GetObject", version=version), arn)
    elif method == "GET" and names == {"tagging"}:
        yield Request(_versioned("s3:GetObject", "Tagging", version=version), arn)
    elif method == "PUT" and names == {"tagging"}:
        yield Request(_versioned("s3:PutObject", "Tagging", version=version), arn)
    elif method == "DELETE" and not names:
        yield Request(_versioned("s3:DeleteObject", version=version), arn)
    elif method == "DELETE" and names == {"uploadId"}:
        yield Request("s3:AbortMultipartUpload", arn)
    elif (method == "PUT" and names in (set(), _UPLOAD)) or (method == "POST" and names in ({"uploads"}, {"uploadId"})):
        yield from _writing(message, arn)
    else:
        raise Unreadable("a request of an object that is not known here")


def _writing(message: Message, arn: str) -> Iterator[Request]:
    headers = message.headers
    yield Request("s3:PutObject", arn, context(**{f"s3:{name}": headers.get(name) for name in _ENCRYPTION}))
    if "x-amz-tagging" in headers:
        yield Request("s3:PutObjectTagging", arn)
    if any(_GRANTS.fullmatch(name) for name in headers):
        yield Request("s3:PutObjectAcl", arn)
    source = headers.get("x-amz-copy-source")
    if source is not None:
        path, _, version = source.partition("?versionId=")
        copied = f"arn:aws:s3:::{decoded(path).removeprefix('/')}"
        yield Request(_versioned("s3:GetObject", version=bool(version)), copied)


def _versioned(action: str, of: str = "", *, version: bool) -> str:
    return f"{action}{'Version' if version else ''}{of}"
