"""Large values over the API: with everything in memory, and as it is deployed."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from agent_memory.bootstrap import records
from tests.edge import Edge
from tests.fakes.bodies import incompressible
from tests.fakes.clock import Clock

INLINE, LINKED = {"x": incompressible(700_000)}, {"x": incompressible(1_100_000)}
CONTENT = b"\x00\xff not JSON" * 400_000


@pytest.fixture(params=["edge", "deployed"])
def api(request: pytest.FixtureRequest) -> Edge:
    if request.param == "deployed":
        request.getfixturevalue("s3")
    made: Edge = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def behind(api: Edge) -> Callable[[Any], bytes]:
    """What the link of a response serves."""

    def read(response: Any) -> bytes:
        url = response["body_url"]
        bodies: Any = records.large_values()._bodies()
        is_fake = url.startswith("memory:")
        content: bytes = bodies.behind(url) if is_fake else httpx.get(url, trust_env=False).raise_for_status().content
        assert (response["sha256"], response["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        return content

    return read


def upload(api: Edge, content: bytes = CONTENT) -> str:
    new = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    announced = api.call("POST", "/v1/uploads", new).data
    if announced["url"].startswith("memory:"):
        bodies: Any = records.large_values()._bodies()
        bodies.uploaded(announced["url"], content)
    else:
        httpx.put(announced["url"], content=content, trust_env=False).raise_for_status()
    return str(announced["upload_id"])


WRITES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "state": ("POST", "/v1/state", "data", {"agent_id": "planner"}),
    "episode": ("POST", "/v1/memory/episodic", "content", {"agent_id": "planner", "session_id": "s", "type": "action"}),
    "state by shape": ("POST", "/v1/memory", "data", {"agent_id": "planner"}),
    "episode by shape": ("POST", "/v1/memory", "content", {"agent_id": "planner", "session_id": "s", "type": "action"}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_large_value_sent_again_is_the_first_answer_with_a_link_that_works(
    api: Edge, behind: Callable[[Any], bytes], write: Any
) -> None:
    method, path, name, fields = write
    for value in (INLINE, LINKED):
        body = {**fields, name: value}
        first, again = (api.call(method, path, body, key=str(len(value["x"]))) for _ in range(2))

        assert (first.status, again.status, again.headers["idempotency-replayed"]) == (201, 201, "true")
        changing = {"body_url": None}
        assert first.data | changing == again.data | changing
        for answer in (first.data, again.data):
            if value is INLINE:
                assert answer[name] == value
            else:
                assert answer[name] is None
                assert json.loads(behind(answer)) == value


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_an_upload_stands_for_a_value(api: Edge, behind: Callable[[Any], bytes], write: Any) -> None:
    method, path, name, fields = write
    body = {**fields, "upload_id": upload(api)}
    first, again = (api.call(method, path, body, key="k") for _ in range(2))

    for answer in (first, again):
        assert answer.data[name] is None
        assert behind(answer.data) == CONTENT
    seen = api.call("GET", "/v1/memory/planner").data
    assert behind(seen["state"] if name == "data" else seen["episodic"][0]) == CONTENT


def test_pages_hold_what_fits_and_a_walk_goes_through_all_of_it(
    api: Edge, behind: Callable[[Any], bytes], clock: Clock
) -> None:
    sent = []
    for number in range(12):
        value = {"x": incompressible(530_000, number)} if number % 4 else LINKED
        sent.append(value)
        clock.turn(seconds=1)
        api.call("POST", "/v1/memory/episodic", WRITES["episode"][3] | {"content": value})

    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = api.call("GET", f"/v1/memory/episodic/planner?order=oldest{cursor and f'&cursor={cursor}'}")
        assert len(page.text or "") < 2_600_000
        seen += [each["content"] or json.loads(behind(each)) for each in page.data["episodes"]]
        cursor, pages = page.data["next_cursor"], pages + 1
    assert seen == sent
    assert pages >= 3


def test_words_of_an_episode_without_room_are_not_searched_and_it_breaks_nothing(api: Edge) -> None:
    for content in (incompressible(600_000) + " cashews", "cashews"):
        api.call("POST", "/v1/memory/episodic", WRITES["episode"][3] | {"content": content})

    found = api.call("POST", "/v1/memory/search", {"query": "cashews", "agent_id": "planner"}).data["results"]
    assert [each["content"] for each in found] == ["cashews"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"bytes": 0, "sha256": "0" * 64}, "bytes"),
        ({"bytes": 1, "sha256": "0" * 63}, "sha256"),
        ({"bytes": 1, "sha256": "A" * 64}, "sha256"),
        ({"bytes": 1.0, "sha256": "0" * 64}, "bytes"),
        ({"sha256": "0" * 64}, "bytes"),
        ({"bytes": 1, "sha256": "0" * 64, "agent_id": "planner"}, "agent_id"),
    ],
)
def test_an_announcement_is_checked(edge: Edge, body: Any, field: str) -> None:
    refused = edge.call("POST", "/v1/uploads", body)

    assert (refused.status, [each["field"] for each in refused.error["details"]]) == (400, [field])


def test_a_write_names_one_of_value_and_upload(edge: Edge) -> None:
    for path, name, fields in (each[1:] for each in list(WRITES.values())[:2]):
        for body, field in ((fields, name), (fields | {name: {}, "upload_id": "x"}, "upload_id")):
            refused = edge.call("POST", path, body)
            assert (refused.status, [each["field"] for each in refused.error["details"]]) == (400, [field])
    assert edge.call("POST", "/v1/uploads", {"bytes": 100_000_001, "sha256": "0" * 64}).status == 413
    assert edge.call("POST", "/v1/memory", {"agent_id": "a", "content": "x", "upload_id": "y"}).status == 400


def test_usage_tells_what_lies_in_s3(api: Edge, clock: Clock) -> None:
    api.call("POST", "/v1/state", {"agent_id": "planner", "data": LINKED})
    upload(api)  # pending: nobody's yet

    storage = api.call("GET", "/v1/usage").data["storage"]
    assert storage["s3_bytes"] == len(json.dumps(LINKED, separators=(",", ":")))


def test_a_purge_takes_bodies_too(deployed: Edge, s3: Any) -> None:
    deployed.scopes = "read write erase"
    for _ in range(2):
        deployed.call("POST", "/v1/state", {"agent_id": "planner", "data": LINKED})
    deployed.call("POST", "/v1/state", {"agent_id": "critic", "data": LINKED})

    deleted = deployed.call("DELETE", "/v1/memory/planner").data["deleted"]

    assert (deleted["state"], deleted["s3_objects"]) == (1, 2)
    left = s3.list_object_versions(Bucket="archive")["Versions"]
    assert ["/critic/bodies/" in each["Key"] for each in left] == [True]
