"""How long episodes are kept where the tenant has a retention, on every way that writes them."""

from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.limits import Limits
from agent_memory.domain.times import format_time
from tests.edge import Edge
from tests.fakes.clock import Clock

EPISODE = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 1}


@pytest.fixture(params=["edge", "deployed"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    made.limits = Limits(retention_days=30)
    return made


def write(api: Edge, path: str, body: dict[str, Any], key: str | None = None) -> Any:
    """The episode as the answer tells it."""
    if path.endswith("batch"):
        return api.call("POST", path, {"items": [body]}, key=key).data["results"][0]["data"]
    return api.call("POST", path, body, key=key).data


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("path", ["/v1/memory/episodic", "/v1/memory/episodic/batch", "/v1/memory"])
def test_no_episode_is_kept_longer_than_the_retention(api: Edge, clock: Clock, path: str, key: str | None) -> None:
    last = format_time(clock() + timedelta(days=30))
    first = format_time(clock() + timedelta(days=2))

    written = write(api, path, EPISODE, key)
    assert written["expires_at"] == last
    assert write(api, path, EPISODE | {"ttl_hours": 24 * 31})["expires_at"] == last
    assert write(api, path, EPISODE | {"ttl_hours": 48})["expires_at"] == first
    assert write(api, path, EPISODE | {"timestamp": "2020-01-01T00:00:00Z"})["expires_at"] == last

    clock.turn(days=29)
    assert written["id"] in [each["id"] for each in api.call("GET", "/v1/memory/episodic/planner").data["episodes"]]
    clock.turn(days=1)
    assert api.call("GET", "/v1/memory/episodic/planner").data["episodes"] == []


def test_without_one_episodes_are_kept(api: Edge) -> None:
    api.limits = Limits()
    assert write(api, "/v1/memory/episodic", EPISODE)["expires_at"] is None
