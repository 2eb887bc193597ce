"""A service that fails on demand, and the API on top of it."""

from collections.abc import Iterator

import pytest

from agent_memory.adapters import aws_http
from tests.edge import Edge
from tests.faults import FaultyService, faulty
from tests.fix_aws import Aws
from tests.fix_edge import forget_clients


@pytest.fixture
def service(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyService]:
    # Waiting between attempts is right in a function and only slow here.
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.0)
    with faulty(aws.endpoint) as made:
        yield made


@pytest.fixture
def unreliable(deployed: Edge, service: FaultyService, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The API as it is deployed, behind the faulty service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.endpoint)
    forget_clients()
    return deployed
