"""Bedrock as the local stack has it: a real sentence model behind Titan's wire format."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from local import ministack, services
from local.ports import ports
from local.state import State


@dataclass(frozen=True)
class Bedrock:
    """One server for all tests of a worker: whoever throttles it ends that, and counts are compared, not expected."""

    endpoint: str

    def throttle(self, throttled: bool) -> None:
        """Refuse every call from now on, or no longer."""
        httpx.post(
            f"{self.endpoint}/_local/throttled", json={"throttled": throttled}, trust_env=False
        ).raise_for_status()

    def invocations(self) -> int:
        """How often InvokeModel was called, refusals included."""
        answer = httpx.get(f"{self.endpoint}/_local/invocations", trust_env=False)
        count: int = answer.raise_for_status().json()["count"]
        return count


@pytest.fixture(scope="session")
def bedrock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bedrock]:
    """The stand-in, started as `make up` starts it."""
    state = State(tmp_path_factory.mktemp("bedrock"))
    chosen = ports(state)
    try:
        services.ensure_bedrock(state, chosen)
        yield Bedrock(ministack.bedrock_endpoint(chosen))
    finally:
        services.stop(state, "bedrock")


@pytest.fixture
def throttled_bedrock(bedrock: Bedrock) -> Iterator[Bedrock]:
    """The stand-in while it refuses every call."""
    bedrock.throttle(True)
    yield bedrock
    bedrock.throttle(False)
