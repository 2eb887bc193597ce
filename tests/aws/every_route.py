"""For each route of a function that serves one tenant, requests that exercise its stores."""

from typing import Any

ACROSS_TENANTS = {"health", "keys"}
STATE: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "user_id": "u", "data": {"x": 1}}
EPISODE: dict[str, Any] = {
    "agent_id": "planner",
    "session_id": "s",
    "user_id": "u",
    "run_id": "r",
    "type": "action",
    "content": "tea",
}
MEMORY: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "user_id": "u", "content": "the user likes tea"}
FACT: dict[str, Any] = {
    "agent_id": "planner",
    "session_id": "s",
    "user_id": "u",
    "subject": "Ana",
    "predicate": "lives in",
    "value": "Paris",
}
END: dict[str, Any] = {
    "agent_id": "planner",
    "user_id": "u",
    "summary": "Ana moves to Berlin.",
    "facts": [{"subject": "Ana", "predicate": "lives in", "value": "Berlin"}],
}
STEP: dict[str, Any] = {"agent_id": "planner", "session_id": "s", "user_id": "u", "state": {"x": 1}, "status": "done"}
CLAIM: dict[str, Any] = {"agent_id": "planner", "tool": "search", "arguments_hash": "h", "lease_s": 60}
MANY = {"items": [EPISODE, EPISODE | {"timestamp": "2026-01-01T00:00:00Z"}]}
PROCEDURE: dict[str, Any] = {"agent_id": "planner", "trigger": "refund an order", "steps": ["Pay."]}
UNKNOWN = "00000000-0000-4000-8000-000000000000"

# For each route what exercises its stores; those with a key are sent twice.
REQUESTS: dict[str, list[tuple[str, str, Any, bool]]] = {
    "POST /v1/state": [("POST", "/v1/state", STATE, True)],
    "GET /v1/state/{agent_id}": [("GET", "/v1/state/planner?session_id=s", None, False)],
    "PUT /v1/state/{agent_id}": [
        ("PUT", "/v1/state/planner", {"session_id": "s", "data": {"x": 2}, "version": 1}, True)
    ],
    "PATCH /v1/state/{agent_id}": [("PATCH", "/v1/state/planner", {"session_id": "s", "data": {"y": 3}}, True)],
    "GET /v1/state/{agent_id}/sessions": [("GET", "/v1/state/planner/sessions", None, False)],
    "PUT /v1/runs/{run_id}/steps/{step}": [("PUT", f"/v1/runs/r/steps/{step}", STEP, True) for step in (7, 5, 7)],
    "GET /v1/runs/{run_id}": [("GET", "/v1/runs/r", None, False)],
    "GET /v1/runs": [("GET", "/v1/runs?agent_id=planner", None, False)],
    "POST /v1/runs/{run_id}/tools/{call_id}": [
        ("POST", "/v1/runs/r/tools/c", CLAIM, True),
        ("POST", "/v1/runs/r/tools/c", CLAIM, False),
        ("POST", "/v1/runs/r/tools/d", CLAIM, False),
    ],
    "PUT /v1/runs/{run_id}/tools/{call_id}": [
        ("PUT", "/v1/runs/r/tools/c", {"result": 1}, True),
        ("PUT", "/v1/runs/r/tools/c", {"result": 1}, True),
        ("PUT", "/v1/runs/r/tools/d", {"error": 1}, False),
    ],
    "GET /v1/flags": [("GET", "/v1/flags", None, False)],
    "POST /v1/uploads": [("POST", "/v1/uploads", {"bytes": 5, "sha256": "0" * 64}, True)],
    "POST /v1/memory/episodic": [("POST", "/v1/memory/episodic", EPISODE, True)],
    "POST /v1/memory/episodic/batch": [("POST", "/v1/memory/episodic/batch", MANY, True)],
    "GET /v1/memory/episodic/{agent_id}": [
        ("GET", f"/v1/memory/episodic/planner{query}", None, False)
        for query in ("", "?session_id=s", "?user_id=u", "?run_id=r", "?session_id=s&run_id=r&order=oldest")
    ],
    "GET /v1/memory/episodic/{agent_id}/sessions/{session_id}": [
        ("GET", "/v1/memory/episodic/planner/sessions/s", None, False)
    ],
    "POST /v1/memory/semantic": [("POST", "/v1/memory/semantic", MEMORY, True)],
    "POST /v1/memory/semantic/batch": [("POST", "/v1/memory/semantic/batch", {"items": [MEMORY]}, True)],
    "POST /v1/memory/semantic/search": [("POST", "/v1/memory/semantic/search", {"query": "tea"}, False)],
    "GET /v1/memory/semantic": [("GET", "/v1/memory/semantic", None, False)],
    "GET /v1/memory/semantic/{id}": [("GET", f"/v1/memory/semantic/{UNKNOWN}", None, False)],
    "GET /v1/memory/semantic/{id}/history": [("GET", f"/v1/memory/semantic/{UNKNOWN}/history", None, False)],
    "DELETE /v1/memory/semantic/{id}": [("DELETE", f"/v1/memory/semantic/{UNKNOWN}", None, True)],
    "PUT /v1/facts": [("PUT", "/v1/facts", FACT, True)],
    "POST /v1/facts/batch": [("POST", "/v1/facts/batch", {"items": [FACT]}, True)],
    "GET /v1/facts": [("GET", "/v1/facts?user_id=u", None, False)],
    "GET /v1/facts/{fact_id}/history": [("GET", f"/v1/facts/{UNKNOWN}/history", None, False)],
    "DELETE /v1/facts/{fact_id}": [("DELETE", f"/v1/facts/{UNKNOWN}", None, True)],
    "POST /v1/facts/{fact_id}/restore": [("POST", f"/v1/facts/{UNKNOWN}/restore", None, True)],
    "PUT /v1/procedures/{name}": [("PUT", "/v1/procedures/refund", PROCEDURE, True)],
    "GET /v1/procedures": [("GET", "/v1/procedures", None, False)],
    "GET /v1/procedures/{name}": [("GET", "/v1/procedures/refund", None, False)],
    "GET /v1/procedures/{name}/versions": [("GET", "/v1/procedures/refund/versions", None, False)],
    "POST /v1/procedures/{name}/render": [("POST", "/v1/procedures/refund/render", {}, False)],
    "POST /v1/procedures/match": [("POST", "/v1/procedures/match", {"message": "tea"}, False)],
    "DELETE /v1/procedures/{name}": [("DELETE", "/v1/procedures/refund", None, True)],
    "POST /v1/sessions/{session_id}/end": [("POST", "/v1/sessions/s/end", END, True)],
    "GET /v1/jobs/{job_id}": [("GET", "/v1/jobs/unknown", None, False)],
    "POST /v1/context": [
        ("POST", "/v1/context", {"agent_id": "planner", "session_id": "s", "user_id": "u", "message": "tea?"}, True)
    ],
    "POST /v1/memory": [("POST", "/v1/memory", each, True) for each in (STATE, EPISODE, MEMORY)],
    "GET /v1/memory": [("GET", "/v1/memory?agent_id=planner", None, False)],
    "GET /v1/memory/{agent_id}": [("GET", "/v1/memory/planner", None, False)],
    "POST /v1/memory/search": [
        ("POST", "/v1/memory/search", {"query": "tea"}, False),
        ("POST", "/v1/memory/search", {"query": "tea", "agent_id": "planner"}, False),
    ],
    "GET /v1/usage": [("GET", "/v1/usage", None, False)],
    "DELETE /v1/state/{agent_id}/{session_id}": [("DELETE", "/v1/state/planner/s", None, True)],
    "DELETE /v1/memory/{agent_id}": [("DELETE", "/v1/memory/planner", None, True)],
}
