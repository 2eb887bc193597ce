"""A step, a claim or an outcome whose answer was lost is neither refused as somebody else's nor made twice."""

from typing import Any

import pytest

from tests.edge import Edge
from tests.faults import FaultyService

STEP: dict[str, Any] = {"agent_id": "planner", "state": {"x": 1}, "status": "done"}
CLAIM: dict[str, Any] = {"agent_id": "planner", "tool": "search", "arguments_hash": "h", "lease_s": 60}
TOOL = "/v1/runs/r/tools/c"
KEYS = pytest.mark.parametrize("key", [None, "k"], ids=["without key", "with key"])


def lose(service: FaultyService, key: str | None) -> None:
    """The answer to the write of a call's record; a claim puts the pointer to its run before."""
    if key is None:
        service.plan("PutItem", "lose answer")
    else:
        service.plan("TransactWriteItems", "lose answer")


@KEYS
@pytest.mark.parametrize("again", [False, True], ids=["first", "over another"])
def test_a_step_is_written_once(unreliable: Edge, service: FaultyService, key: str | None, again: bool) -> None:
    if again:
        unreliable.call("PUT", "/v1/runs/r/steps/1", STEP | {"status": "running"})
    service.plan("TransactWriteItems", "lose answer")

    written = unreliable.call("PUT", "/v1/runs/r/steps/1", STEP, key=key)

    assert unreliable.call("GET", "/v1/runs/r").data["steps"] == [written.data]
    assert len([operation for operation in service.seen if operation == "TransactWriteItems"]) == 2 + again


@KEYS
@pytest.mark.parametrize("lost", ["pointer", "record"])
def test_a_claim_is_its_own(unreliable: Edge, service: FaultyService, key: str | None, lost: str) -> None:
    if lost == "pointer":
        service.plan("PutItem", "lose answer")
    elif key is None:
        service.plan("PutItem", "none", "lose answer")  # the pointer goes first
    else:
        service.plan("TransactWriteItems", "lose answer")

    claimed = unreliable.call("POST", TOOL, CLAIM, key=key)

    assert (claimed.status, claimed.data["attempt"]) == (201, 1)
    assert unreliable.call("PUT", TOOL, {"result": 1, "claim_id": claimed.data["claim_id"]}).status == 200


@KEYS
def test_an_outcome_is_no_conflict_with_itself(unreliable: Edge, service: FaultyService, key: str | None) -> None:
    claimed = unreliable.call("POST", TOOL, CLAIM).data
    lose(service, key)

    done = unreliable.call("PUT", TOOL, {"error": 1, "claim_id": claimed["claim_id"]}, key=key)

    assert (done.status, done.data["status"]) == (200, "failed")
    assert unreliable.call("POST", TOOL, CLAIM).data["attempt"] == 2


@KEYS
@pytest.mark.parametrize(("method", "path", "body"), [("POST", TOOL, CLAIM), ("PUT", "/v1/runs/r/steps/1", STEP)])
def test_what_could_not_be_written_is_a_503_and_left_nothing(
    unreliable: Edge, service: FaultyService, key: str | None, method: str, path: str, body: Any
) -> None:
    for operation in ("PutItem", "TransactWriteItems"):
        for _ in range(12):
            service.plan(operation, "lose request")

    assert unreliable.call(method, path, body, key=key).status == 503

    service._planned.clear()
    assert unreliable.call("GET", "/v1/runs/r").status == 404
    assert unreliable.call("POST", TOOL, CLAIM).status == 201
