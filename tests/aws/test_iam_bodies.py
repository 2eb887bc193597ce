"""Large values in a tenant's session: what the adapter does is allowed, and its links reach no further."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from unittest.mock import patch

import httpx
import pytest

from agent_memory.adapters.s3_bodies import S3Bodies
from agent_memory.adapters.sigv4 import Credentials
from agent_memory.domain.bodies import Digest
from agent_memory.errors import StoreUnavailable
from tests.fix_iam import BUCKET, REGION, Enforced

CONTENT = os.urandom(1_000_000) * 50


@pytest.fixture(scope="module")
def acme(enforced: Enforced) -> Iterator[S3Bodies]:
    """The adapter in a session of the first tenant."""
    given = enforced.session("acme")
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": enforced.proxied}):
        made = S3Bodies.of(REGION, BUCKET, lambda _: session)
    with closing(made._client):
        yield made


def test_an_upload_of_50_mb_becomes_a_body_and_is_read_by_a_link(acme: S3Bodies) -> None:
    link = acme.upload_link("!uploads/acme/large", len(CONTENT))
    assert httpx.put(link, content=CONTENT, timeout=120, trust_env=False).status_code == 200

    assert acme.size("!uploads/acme/large") == len(CONTENT)
    receipt = acme.copy("!uploads/acme/large", "acme/planner/bodies/state/o/1")
    assert receipt is not None
    assert acme.digest("acme/planner/bodies/state/o/1") == Digest(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    served = httpx.get(acme.link("acme/planner/bodies/state/o/1"), timeout=120, trust_env=False)
    assert served.content == CONTENT


def test_a_value_is_put_read_and_taken_back(acme: S3Bodies, enforced: Enforced) -> None:
    enforced.root("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    receipt = acme.put("acme/planner/bodies/state/o/2", b"{}")

    assert acme.read("acme/planner/bodies/state/o/2") == b"{}"
    acme.withdraw("acme/planner/bodies/state/o/2", receipt)
    assert acme.read("acme/planner/bodies/state/o/2") is None
    listed = enforced.root("s3").list_object_versions(Bucket=BUCKET, Prefix="acme/planner/bodies/state/o/2")
    assert [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])] == []


def test_another_tenants_values_and_uploads_are_as_good_as_absent(acme: S3Bodies, enforced: Enforced) -> None:
    for key in ("globex/planner/bodies/state/o/1", "!uploads/globex/1"):
        enforced.root("s3").put_object(Bucket=BUCKET, Key=key, Body=b"theirs")

        assert (acme.read(key), acme.size(key), acme.copy(key, "acme/stolen")) == (None, None, None)
        assert httpx.get(acme.link(key), trust_env=False).status_code == 403
        assert httpx.put(acme.upload_link(key, 1), content=b"x", trust_env=False).status_code == 403
        with pytest.raises(StoreUnavailable):
            acme.put(key, b"over")
