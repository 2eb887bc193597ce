"""A session of one tenant in S3: objects and listings below its own prefix, and nothing else."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.fix_iam import BUCKET, Enforced, make_role

Run = Callable[[Any], Any]


@pytest.fixture(scope="module")
def session(enforced: Enforced) -> Iterator[Any]:
    """A session of the first tenant."""
    with closing(enforced.client("s3", enforced.session("acme"))) as client:
        yield client


@pytest.fixture(scope="module")
def root(enforced: Enforced) -> Iterator[Any]:
    """Whom nothing is refused."""
    with closing(enforced.root("s3")) as client:
        yield client


@pytest.fixture
def acme(session: Any, root: Any) -> Any:
    """A session of the first tenant; both tenants have an object."""
    for tenant in ("acme", "globex"):
        root.put_object(Bucket=BUCKET, Key=f"{tenant}/agent/1", Body=tenant.encode())
    return session


def theirs(root: Any) -> bytes:
    body: bytes = root.get_object(Bucket=BUCKET, Key="globex/agent/1")["Body"].read()
    return body


def refused(run: Callable[[], Any]) -> bool:
    with pytest.raises(ClientError) as raised:
        run()
    return raised.value.response["Error"]["Code"] in {"AccessDenied", "403"}  # HEAD is refused without words


OWN: dict[str, Run] = {
    "put": lambda s3: s3.put_object(Bucket=BUCKET, Key="acme/é #%+/😀", Body=b"x" * 3_000_000),
    "get": lambda s3: s3.get_object(Bucket=BUCKET, Key="acme/é #%+/😀")["Body"].read(),
    "head": lambda s3: s3.head_object(Bucket=BUCKET, Key="acme/agent/1"),
    "copy": lambda s3: s3.copy_object(Bucket=BUCKET, Key="acme/copy", CopySource=f"{BUCKET}/acme/agent/1"),
    "upload": lambda s3: s3.put_object(Bucket=BUCKET, Key="!uploads/acme/1", Body=b"pending"),
    "take an upload": lambda s3: s3.copy_object(
        Bucket=BUCKET, Key="acme/a/bodies/1", CopySource={"Bucket": BUCKET, "Key": "!uploads/acme/1"}
    ),
    "list": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="acme/"),
    "list deeper": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="acme/agent/", Delimiter="/", MaxKeys=5),
    "list versions": lambda s3: s3.list_object_versions(Bucket=BUCKET, Prefix="acme/"),
    "delete many": lambda s3: s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "acme/copy"}]}),
    "delete": lambda s3: s3.delete_object(Bucket=BUCKET, Key="acme/é #%+/😀"),
}

FOREIGN: dict[str, Run] = {
    "put": lambda s3: s3.put_object(Bucket=BUCKET, Key="globex/agent/1", Body=b""),
    "get": lambda s3: s3.get_object(Bucket=BUCKET, Key="globex/agent/1"),
    "get part": lambda s3: s3.get_object(Bucket=BUCKET, Key="globex/agent/1", Range="bytes=0-1"),
    "head": lambda s3: s3.head_object(Bucket=BUCKET, Key="globex/agent/1"),
    "get up and over": lambda s3: s3.get_object(Bucket=BUCKET, Key="acme/../globex/agent/1x"[5:]),
    "get a longer name": lambda s3: s3.get_object(Bucket=BUCKET, Key="acme-2/agent/1"),
    "get without a folder": lambda s3: s3.get_object(Bucket=BUCKET, Key="acme"),
    "delete": lambda s3: s3.delete_object(Bucket=BUCKET, Key="globex/agent/1"),
    "delete one of two": lambda s3: s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": "acme/agent/1"}, {"Key": "globex/agent/1"}]}
    ),
    "copy theirs": lambda s3: s3.copy_object(
        Bucket=BUCKET, Key="acme/stolen", CopySource={"Bucket": BUCKET, "Key": "globex/agent/1"}
    ),
    "copy to theirs": lambda s3: s3.copy_object(
        Bucket=BUCKET, Key="globex/planted", CopySource=f"{BUCKET}/acme/agent/1"
    ),
    "upload a part of theirs": lambda s3: s3.create_multipart_upload(Bucket=BUCKET, Key="globex/agent/1"),
    "upload for them": lambda s3: s3.put_object(Bucket=BUCKET, Key="!uploads/globex/1", Body=b""),
    "upload for nobody": lambda s3: s3.put_object(Bucket=BUCKET, Key="!uploads/1", Body=b""),
    "take theirs": lambda s3: s3.copy_object(
        Bucket=BUCKET, Key="acme/stolen", CopySource={"Bucket": BUCKET, "Key": "!uploads/globex/1"}
    ),
    "remove an upload": lambda s3: s3.delete_object(Bucket=BUCKET, Key="!uploads/acme/1"),
    "list uploaded": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="!uploads/acme/"),
    "list all": lambda s3: s3.list_objects_v2(Bucket=BUCKET),
    "list all the old way": lambda s3: s3.list_objects(Bucket=BUCKET),
    "list nothing in particular": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix=""),
    "list theirs": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="globex/"),
    "list names that begin so": lambda s3: s3.list_objects_v2(Bucket=BUCKET, Prefix="acme"),
    "list all versions": lambda s3: s3.list_object_versions(Bucket=BUCKET),
    "list uploads": lambda s3: s3.list_multipart_uploads(Bucket=BUCKET),
    "is there a bucket": lambda s3: s3.head_bucket(Bucket=BUCKET),
    "another bucket": lambda s3: s3.get_object(Bucket="another-bucket", Key="acme/agent/1"),
    "all buckets": lambda s3: s3.list_buckets(),
    "what it may not, on its own": lambda s3: s3.get_object_tagging(Bucket=BUCKET, Key="acme/agent/1"),
    "a policy": lambda s3: s3.put_bucket_policy(Bucket=BUCKET, Policy="{}"),
}


@pytest.mark.parametrize("run", [lambda s3: [each(s3) for each in OWN.values()]])
def test_own_objects_are_reached(acme: Any, run: Run) -> None:
    assert len(run(acme)) == len(OWN)
    assert run(acme)[1] == b"x" * 3_000_000


@pytest.mark.parametrize("run", FOREIGN.values(), ids=FOREIGN)
def test_nothing_else_is_reached(root: Any, acme: Any, run: Run) -> None:
    assert refused(lambda: run(acme))
    assert theirs(root) == b"globex"
    assert acme.head_object(Bucket=BUCKET, Key="acme/agent/1")


def test_a_copy_is_read_before_it_is_written(acme: Any, root: Any) -> None:
    assert refused(lambda: FOREIGN["copy theirs"](acme))

    listed = root.list_objects_v2(Bucket=BUCKET, Prefix="acme/").get("Contents", [])
    assert "acme/stolen" not in {each["Key"] for each in listed}


def test_a_presigned_url_is_as_good_as_its_session(acme: Any) -> None:
    own = acme.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "acme/agent/1"})
    other = acme.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "globex/agent/1"})

    assert httpx.get(own, trust_env=False).content == b"acme"
    assert httpx.get(other, trust_env=False).status_code == 403
    assert httpx.get(own.replace("acme/agent", "globex/agent"), trust_env=False).status_code == 403
    late = acme.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "acme/agent/1"}, ExpiresIn=0)
    time.sleep(1.1)
    assert httpx.get(late, trust_env=False).status_code == 403


def test_a_bucket_named_by_the_host_is_not_understood(enforced: Enforced, acme: Any) -> None:
    own = acme.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "acme/agent/1"})

    answer = httpx.get(own, headers={"host": f"{BUCKET}.s3.localhost"}, trust_env=False)

    assert answer.status_code == 403


@pytest.mark.parametrize(("action", "is_refused"), [("s3:DeleteObjectVersion", False), ("s3:DeleteObject", True)])
def test_a_version_is_removed_by_whoever_may_remove_versions(
    enforced: Enforced, root: Any, action: str, is_refused: bool
) -> None:
    role = f"remover-{is_refused}"
    make_role(enforced, role, {"AWS": "arn:aws:iam::000000000000:root"})
    statement = {"Sid": "Remove", "Effect": "Allow", "Action": action, "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    enforced.policy(role, [statement])
    version = root.put_object(Bucket=BUCKET, Key="acme/agent/old", Body=b"old").get("VersionId", "null")
    gone = {"Objects": [{"Key": "acme/agent/old", "VersionId": version}]}

    with closing(enforced.client("s3", enforced.session(None, role))) as remover:
        if is_refused:
            assert refused(lambda: remover.delete_objects(Bucket=BUCKET, Delete=gone))
        else:
            assert "Errors" not in remover.delete_objects(Bucket=BUCKET, Delete=gone)
