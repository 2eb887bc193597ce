"""What callers see of runs, tool calls and flags, over stores in memory and over DynamoDB."""

from typing import Any

import pytest

from agent_memory.bootstrap import tenants
from agent_memory.domain.identifiers import to_path
from agent_memory.errors import InvalidRequest
from tests.edge import Edge
from tests.fakes.clock import Clock

STEP: dict[str, Any] = {"agent_id": "planner", "state": {"x": 1.0}, "status": "running"}
CLAIM: dict[str, Any] = {"agent_id": "planner", "tool": "search", "arguments_hash": "h", "lease_s": 60}
TOOL = "/v1/runs/r/tools/c"


@pytest.fixture(params=["edge", "deployed"], ids=["memory", "dynamodb"])
def api(request: pytest.FixtureRequest) -> Edge:
    made: Edge = request.getfixturevalue(request.param)
    return made


def put(api: Edge, number: int, run: str = "r", **fields: Any) -> Any:
    return api.call("PUT", f"/v1/runs/{to_path(run)}/steps/{number}", {**STEP, **fields}).data


def walk(api: Edge, path: str, items: str, limit: int) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = api.call("GET", f"{path}limit={limit}{cursor}").data
        found += page[items]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_a_step_is_answered_and_read_as_it_was_written(api: Edge) -> None:
    told: dict[str, Any] = {
        "session_id": "s",
        "user_id": "ana",
        "metadata": {"a": 1},
        "trust": "inference",
        "ttl_hours": 1,
    }
    written = put(api, 7, **told)

    assert written | {"expires_at": None} == {
        "run_id": "r",
        "step": 7,
        **STEP,
        "session_id": "s",
        "updated_at": "2026-11-20T09:30:00.000000Z",
        "expires_at": None,
        **{name: told[name] for name in ("user_id", "metadata", "trust")},
    }
    assert written["expires_at"] == "2026-11-20T10:30:00.000000Z"
    run = api.call("GET", "/v1/runs/r").data
    assert run["steps"] == [written]
    assert (run["run_id"], run["status"], run["step"], run["agent_id"]) == ("r", "running", 7, "planner")


@pytest.mark.parametrize("state", [None, "text", 0, [], {"a": [None]}])
def test_a_state_is_any_json(api: Edge, state: Any) -> None:
    put(api, 1, state=state)

    assert api.call("GET", "/v1/runs/r").data["steps"][0]["state"] == state


def test_steps_and_runs_are_walked_in_pages(api: Edge) -> None:
    names = ["a", "b c", "ü", "#"]
    for run in names:
        for number in (12, 3, 0, 7, 999_999_999):
            put(api, number, run, status="done" if run < "b" else "waiting")

    for limit in (1, 2, 5, 500):
        found = walk(api, f"/v1/runs/{to_path('b c')}?", "steps", limit)
        assert [step["step"] for step in found] == [0, 3, 7, 12, 999_999_999]
        listed = walk(api, "/v1/runs?agent_id=planner&", "runs", limit)
        assert sorted(run["run_id"] for run in listed) == sorted(names)
        done = walk(api, "/v1/runs?agent_id=planner&status=done&", "runs", limit)
        assert sorted(run["run_id"] for run in done) == ["#", "a"]


def test_a_cursor_is_good_for_its_own_walk(api: Edge) -> None:
    for number in range(3):
        put(api, number)
        put(api, number, "other")
    steps = api.call("GET", "/v1/runs/r?limit=1").data["next_cursor"]
    runs = api.call("GET", "/v1/runs?agent_id=planner&limit=1").data["next_cursor"]

    assert api.call("GET", f"/v1/runs/other?limit=1&cursor={steps}").status == 400
    assert api.call("GET", f"/v1/runs?agent_id=critic&cursor={runs}").status == 400
    assert api.call("GET", f"/v1/runs?agent_id=planner&status=done&cursor={runs}").status == 400


@pytest.mark.parametrize("step", ["-1", "1.0", "007", "1000000000", "x", "~MQ"])
def test_a_step_has_one_spelling(api: Edge, step: str) -> None:
    assert api.call("PUT", f"/v1/runs/r/steps/{step}", STEP).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/runs/r/steps/1", STEP | {"status": "finished"}),
        ("PUT", "/v1/runs/r/steps/1", {name: STEP[name] for name in ("agent_id", "status")}),
        ("PUT", "/v1/runs/r/steps/1", STEP | {"tenant_id": "globex"}),
        ("PUT", "/v1/runs/~I/steps/1", STEP),
        ("GET", "/v1/runs", None),
        ("GET", "/v1/runs?agent_id=a&status=x", None),
        ("GET", "/v1/flags?tenant_id=globex", None),
        ("POST", TOOL, CLAIM | {"lease_s": 0}),
        ("POST", TOOL, CLAIM | {"lease_s": 3601}),
        ("POST", TOOL, CLAIM | {"lease_s": "60"}),
        ("POST", f"{TOOL}2", CLAIM | {"ttl_hours": 0.001}),
        ("POST", TOOL, CLAIM | {"tool": ""}),
        ("PUT", TOOL, {}),
        ("PUT", TOOL, {"claim_id": "x"}),
        ("PUT", TOOL, {"result": 1, "error": 1}),
        ("PUT", TOOL, {"result": None, "error": None}),
        ("PUT", TOOL, {"results": 1}),
    ],
)
def test_what_breaks_a_rule_is_refused(api: Edge, method: str, path: str, body: Any) -> None:
    api.call("POST", TOOL, CLAIM)

    reply = api.call(method, path, body)

    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert reply.error["details"]


def test_a_run_that_is_not_there_is_told_apart_from_no_other_tenants(api: Edge) -> None:
    put(api, 1)
    api.call("POST", TOOL, CLAIM)
    other = Edge(f"{api.tenant_id}-2")

    for method, path, body in (("GET", "/v1/runs/r", None), ("PUT", TOOL, {"result": 1})):
        reply = other.call(method, path, body)
        assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
    assert other.call("GET", "/v1/runs?agent_id=planner").data == {"runs": [], "next_cursor": None}
    assert other.call("POST", TOOL, CLAIM | {"tool": "other"}).status == 201


def test_a_call_is_claimed_completed_and_heard(api: Edge, clock: Clock) -> None:
    claimed = api.call("POST", TOOL, CLAIM)
    assert claimed.status == 201
    assert (claimed.data["status"], claimed.data["attempt"], claimed.data["result"]) == ("claimed", 1, None)
    assert claimed.data["lease_until"] == "2026-11-20T09:31:00.000000Z"

    clock.turn(seconds=10)
    waiting = api.call("POST", TOOL, CLAIM | {"agent_id": "critic"})
    assert (waiting.status, waiting.error["code"], waiting.headers["retry-after"]) == (409, "IN_PROGRESS", "50")
    assert waiting.error["details"] == {"attempt": 1, "lease_until": "2026-11-20T09:31:00.000000Z"}
    assert claimed.data["claim_id"] not in str(waiting.text)
    stale = api.call("PUT", TOOL, {"result": 1, "claim_id": "another"})
    assert (stale.status, stale.error["code"]) == (409, "CONFLICT")
    done = api.call("PUT", TOOL, {"result": {"n": 1.0}, "claim_id": claimed.data["claim_id"]})
    assert (done.status, done.data["status"], done.data["result"]) == (200, "done", {"n": 1.0})

    heard = api.call("POST", TOOL, CLAIM | {"agent_id": "critic"})
    assert (heard.status, heard.data) == (200, done.data)
    other = api.call("PUT", TOOL, {"result": {"n": 1}})
    assert (other.status, other.error["details"]["result"]) == (409, {"n": 1.0})
    assert api.call("POST", TOOL, CLAIM | {"arguments_hash": "i"}).error["code"] == "CONFLICT"


def test_a_session_that_is_another_users_refuses_steps_and_claims(api: Edge) -> None:
    put(api, 1, session_id="s", user_id="ana")

    assert api.call("PUT", "/v1/runs/r/steps/2", STEP | {"session_id": "s", "user_id": "bob"}).status == 409
    assert api.call("POST", TOOL, CLAIM | {"session_id": "s", "user_id": "bob"}).error["code"] == "CONFLICT"
    assert api.call("POST", TOOL, CLAIM | {"session_id": "s", "user_id": "ana"}).status == 201


def test_flags_are_the_tenants_own(api: Edge) -> None:
    flags = tenants.tenant_flags()
    assert api.call("GET", "/v1/flags").data == {"flags": {}}

    flags.change(api.tenant_id, {"b": True, "a.b-c_1": False, "model": "large"}, set())
    flags.change(api.tenant_id, {"model": "small"}, {"b", "never"})

    assert api.call("GET", "/v1/flags").data == {"flags": {"a.b-c_1": False, "model": "small"}}
    assert Edge(f"{api.tenant_id}-2").call("GET", "/v1/flags").data == {"flags": {}}
    api.scopes = "write"
    assert api.call("GET", "/v1/flags").status == 403


@pytest.mark.parametrize(
    ("own", "dropped"),
    [
        ({}, set()),
        ({"A": True}, set()),
        ({"": True}, set()),
        ({"a" * 65: True}, set()),
        ({"a": True}, {"a"}),
        ({}, {"a#b"}),
        ({"a": ""}, set()),
        ({"a": "x" * 257}, set()),
        ({"a": "x\n"}, set()),
        ({f"f{n}": True for n in range(101)}, set()),
    ],
)
def test_a_flag_that_cannot_be_is_refused(api: Edge, own: dict[str, bool | str], dropped: set[str]) -> None:
    with pytest.raises(InvalidRequest):
        tenants.tenant_flags().change(api.tenant_id, own, dropped)

    assert api.call("GET", "/v1/flags").data == {"flags": {}}
