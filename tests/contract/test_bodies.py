"""What the stores of large values promise: in memory, and on S3's protocol."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.adapters.dynamodb_item import key, owned_by, owner_of, text
from agent_memory.adapters.s3_bodies import S3Bodies
from agent_memory.domain.bodies import LINK_S, Bodies, Digest, bodies_of, name_of, new_key, upload_key
from agent_memory.domain.identifiers import to_path
from agent_memory.errors import StoreUnavailable
from tests.fakes.bodies import InMemoryBodies
from tests.fix_aws import REGION, Aws


class OnS3(S3Bodies):
    """With what a client does with links."""

    def behind(self, url: str) -> bytes:
        return httpx.get(url, trust_env=False).raise_for_status().content

    def uploaded(self, url: str, content: bytes) -> None:
        httpx.put(url, content=content, trust_env=False).raise_for_status()


@pytest.fixture(params=["memory", "s3"])
def bodies(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemoryBodies()
        return
    aws: Aws = request.getfixturevalue("aws")
    request.getfixturevalue("s3")
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws.endpoint}):
        made = OnS3.of(REGION, aws.bucket)
    with closing(made._client):
        yield made


def test_what_is_put_is_read_back_by_value_and_by_link(bodies: Any) -> None:
    content = os.urandom(1_200_000)
    bodies.put("acme/a b/é#%", content)

    assert bodies.read("acme/a b/é#%") == content == bodies.behind(bodies.link("acme/a b/é#%"))
    assert bodies.size("acme/a b/é#%") == len(content)
    assert bodies.digest("acme/a b/é#%") == Digest(hashlib.sha256(content).hexdigest(), len(content))


def test_what_is_not_there_is_nothing(bodies: Bodies) -> None:
    assert (bodies.read("x"), bodies.size("x"), bodies.digest("x"), bodies.copy("x", "y")) == (None,) * 4


def test_an_upload_is_copied_and_stays(bodies: Any) -> None:
    content = os.urandom(3_000_000)
    bodies.uploaded(bodies.upload_link("!uploads/acme/1", len(content)), content)

    assert bodies.copy("!uploads/acme/1", "acme/planner/bodies/1") is not None
    assert bodies.read("acme/planner/bodies/1") == content == bodies.read("!uploads/acme/1")


def test_only_what_was_written_by_itself_is_taken_back(bodies: Bodies) -> None:
    first, second = bodies.put("k", b"first"), bodies.put("k", b"second")

    bodies.withdraw("k", second)
    assert bodies.read("k") == b"first"
    bodies.withdraw("k", first)
    bodies.withdraw("k", first)
    assert bodies.read("k") is None


def test_a_link_says_for_how_long_and_an_upload_how_much(aws: Aws) -> None:
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws.endpoint}):
        bodies = S3Bodies.of(REGION, aws.bucket)
    with closing(bodies._client):
        for url in (bodies.link("k"), bodies.upload_link("k", 5)):
            assert httpx.URL(url).params["X-Amz-Expires"] == str(LINK_S)
        assert "content-length" in httpx.URL(bodies.upload_link("k", 5)).params["X-Amz-SignedHeaders"].split(";")


def test_links_lead_to_the_regions_own_address() -> None:
    """Elsewhere S3 answers with a redirect, which the signature is not good for."""
    with patch.dict(os.environ, clear=False):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        bodies = S3Bodies.of("eu-central-1", "archive")
    with closing(bodies._client):
        assert httpx.URL(bodies.link("k")).host == "archive.s3.eu-central-1.amazonaws.com"


def test_a_bucket_that_does_not_answer_is_unavailable(aws: Aws) -> None:
    with patch.dict(os.environ, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}):
        bodies = S3Bodies.of(REGION, aws.bucket)
    with closing(bodies._client):
        for ask in (lambda: bodies.put("k", b""), lambda: bodies.read("k"), lambda: bodies.withdraw("k", "1")):
            with pytest.raises(StoreUnavailable):
                ask()


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda each: len(each.encode()) <= 256)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(IDS, IDS, st.integers(0, 999))
def test_a_key_names_the_record_that_owns_it_and_fits_s3(agent: str, session: str, bucket: int) -> None:
    item = {"pk": text(key("t" * 63, agent, str(bucket))), "sk": text(f"SESSION#{session}"[:208])}
    made = new_key(bodies_of("t" * 63, agent, "state", owner_of(item)))
    named = name_of(made)

    assert named
    assert owned_by(named.owner) == item
    assert (named.tenant_id, named.agent_path) == ("t" * 63, to_path(agent))
    assert len(made.encode()) <= 1024


@pytest.mark.parametrize("tenant", ["a", "uploads", "-uploads", "0" * 63])
def test_no_tenant_or_agent_reaches_what_is_pending(tenant: str) -> None:
    for agent in ("!uploads", "..", f"../!uploads/{tenant}", "bodies"):
        assert not bodies_of(tenant, agent, "state", "x").startswith("!")
    assert name_of(upload_key(tenant, "bodies/state/x/y")) is None
