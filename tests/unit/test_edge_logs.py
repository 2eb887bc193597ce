"""What is logged: ids, counts and times."""

import json

import pytest

from agent_memory.bootstrap import records
from tests.edge import Edge

SECRET = "hunter2"


def test_a_log_line_tells_what_happened_and_nothing_of_the_content(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"agent_id": SECRET, "session_id": SECRET, "data": {SECRET: SECRET}, "metadata": {SECRET: SECRET}}
    for method, path in (("POST", "/v1/state"), ("PUT", f"/v1/state/{SECRET}"), ("POST", "/v1/memory/episodic")):
        edge.call(method, path, body, key=SECRET)
        edge.call(method, path, f"{SECRET}{json.dumps(body)}", key=SECRET)
    edge.call("GET", f"/v1/state/{SECRET}?session_id={SECRET}&cursor={SECRET}")
    edge.call("GET", f"/{SECRET}")

    logged = capsys.readouterr()
    lines = [json.loads(line) for line in logged.out.splitlines()]
    assert SECRET not in logged.out + logged.err
    assert [line["status"] for line in lines] == [201, 409, 400, 409, 400, 409, 400, 404]
    assert set(lines[0]) == {"request_id", "route", "status", "latency_ms", "data_calls"}


def test_a_crash_is_logged_by_its_place_and_without_its_words(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(records, "working", broken)
    edge.call("POST", "/v1/state", {"agent_id": "planner", "data": {"x": SECRET}}, key=SECRET)

    logged = capsys.readouterr()
    crash = json.loads(logged.out.splitlines()[0])
    assert SECRET not in logged.out + logged.err
    assert (crash["level"], crash["error"]) == ("ERROR", "ValueError")
    assert any(where.startswith("test_edge_logs.py:") for where in crash["where"])
