"""Times at both ends of the calendar are times like others."""

from typing import Any

import pytest

from tests.edge import Edge

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
STEP: dict[str, Any] = {"agent_id": "planner", "state": 1, "status": "running"}
CLAIM: dict[str, Any] = {"agent_id": "planner", "tool": "search", "arguments_hash": "h", "lease_s": 60}
EPISODE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "type": "action", "content": 1, "run_id": "r"}


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


def test_records_may_expire_at_the_end_of_time(api: Edge) -> None:
    state = {"agent_id": "planner", "session_id": "s", "data": {}}
    written = [
        api.call("PUT", "/v1/runs/r/steps/1", STEP | {"expires_at": LAST}),
        api.call("POST", "/v1/runs/r/tools/c", CLAIM | {"expires_at": LAST}),
        api.call("POST", "/v1/state", state | {"expires_at": LAST}),
        api.call("POST", "/v1/memory/episodic", EPISODE | {"expires_at": LAST}),
    ]

    assert [(each.status, each.data["expires_at"]) for each in written] == [
        (200, LAST),
        (201, LAST),
        (201, LAST),
        (201, LAST),
    ]
    assert [step["expires_at"] for step in api.call("GET", "/v1/runs/r").data["steps"]] == [LAST]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("by", ["", "&run_id=r", "&session_id=s"])
def test_episodes_of_both_ends_are_found(api: Edge, order: str, by: str) -> None:
    for time in (FIRST, LAST):
        assert api.call("POST", "/v1/memory/episodic", EPISODE | {"timestamp": time}).status == 201
    found, cursor = [], ""
    while True:
        path = f"/v1/memory/episodic/planner?order={order}&limit=1&from={FIRST}&to={LAST}{by}{cursor}"
        page = api.call("GET", path).data
        found += [each["timestamp"] for each in page["episodes"]]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"

    first = FIRST.replace("Z", ".000000Z")
    assert found == ([LAST, first] if order == "newest" else [first, LAST])
