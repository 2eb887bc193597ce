"""Data calls and write units of each kind of request, warm, counted between the function and DynamoDB."""

import contextlib
import io
import json
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent_memory.bootstrap import episodes, records
from agent_memory.domain.timeline import EpisodeQuery
from agent_memory.domain.times import now
from agent_memory.entrypoints import episodic, working
from agent_memory.service.episodic import EpisodicMemory
from bench.report import Line
from bench.wire import Wire

_STEADY = 200
_SAMPLE = Path(__file__).parent.parent / "local" / "sample" / "conversation.jsonl"
# 1 KB of what people say.
_KILOBYTE = " ".join(json.loads(line)["text"] for line in _SAMPLE.read_text().splitlines())[:1024]


def measure(endpoint: str, memory_table: str, control_table: str) -> list[Line]:
    """Run the scenario against the tables of the local stack."""
    wire = Wire(endpoint)
    os.environ |= {"AWS_ENDPOINT_URL": wire.url, "MEMORY_TABLE": memory_table, "CONTROL_TABLE": control_table}
    try:
        return _Scenario(wire).lines()
    finally:
        wire.close()


class _Scenario:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._agent = f"bench-{secrets.token_hex(4)}"

    def lines(self) -> list[Line]:
        self._append()  # what a warm function knows already: the agent's buckets
        return [
            self._calls(
                "state create", 1, lambda: self._state("POST /v1/state", {"agent_id": self._agent, "data": {}})
            ),
            self._calls("state get", 1, lambda: self._state("GET /v1/state/{agent_id}")),
            self._calls("state put", 1, lambda: self._state("PUT /v1/state/{agent_id}", {"data": {}, "version": 1})),
            self._calls("episode append", 1, self._append),
            self._calls("episode append with Idempotency-Key", 2, lambda: self._append(key=secrets.token_hex(8))),
            self._write_units(),
            self._calls("newest 50 of an agent", 2, lambda: self._read("limit=50")),
            self._indexed_later(),
            self._calls("newest 50 of a session, within the index's lag", None, lambda: self._read("session_id=s")),
            self._steady(),
        ]

    def _calls(self, what: str, budget: int | None, request: Callable[[], object]) -> Line:
        self._wire.reset()
        request()
        # What counting costs comes on top now and then, and is in the line of steady load.
        count = self._wire.calls.total() - self._wire.counting_calls
        wording = "no budget: see ADR 0004" if budget is None else f"<= {budget}"
        held = None if budget is None else 1 <= count <= budget  # none at all was not counted
        return Line(f"data calls, {what}", str(count), wording, held)

    def _write_units(self) -> Line:
        self._wire.reset()
        self._append()
        units = self._wire.write_units
        return Line("write units, 1 KB episode", f"{units:g}", "<= 2", 0 < units <= 2)

    def _indexed_later(self) -> Line:
        """A page of a session asked for when the index has caught up with everything the walk may show."""
        store = episodes.episode_store()  # the same store behind a later clock
        values = records.large_values()
        early = EpisodicMemory(store, records.subjects(), values, now)
        late = EpisodicMemory(store, records.subjects(), values, lambda: now() + timedelta(minutes=2))
        query, key = EpisodeQuery(session_id="s", limit=1), b"bench"
        _, cursor = early.query("bench", self._agent, query, key)
        return self._calls(
            "indexed read",
            2,
            lambda: late.query("bench", self._agent, query.model_copy(update={"cursor": cursor}), key),
        )

    def _steady(self) -> Line:
        """Every call beyond the request's own, once the function has spent its credit for counting at once."""
        self._wire.reset()
        while self._wire.calls.total() == 0 or self._wire.counting_calls:
            self._wire.reset()
            self._append()
        self._wire.reset()
        for _ in range(_STEADY):
            self._append()
        extra = (self._wire.calls.total() - _STEADY) / _STEADY
        return Line("control calls per request, steady load", f"{extra:.3f}", "<= 0.1", extra <= 0.1)

    def _append(self, key: str | None = None) -> object:
        body = {"agent_id": self._agent, "session_id": "s", "type": "observation", "content": _KILOBYTE}
        headers = {"idempotency-key": key} if key else {}
        return call(episodic.handler, "POST /v1/memory/episodic", {}, body, headers=headers)

    def _read(self, query: str) -> object:
        path = {"agent_id": self._agent}
        return call(episodic.handler, "GET /v1/memory/episodic/{agent_id}", path, query=query)

    def _state(self, route: str, body: dict[str, Any] | None = None) -> object:
        return call(working.handler, route, {"agent_id": self._agent}, body)


def call(
    handler: Callable[[dict[str, Any], object], dict[str, Any]],
    route: str,
    path: dict[str, str],
    body: dict[str, Any] | None = None,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Let a function answer a request of the tenant `bench`."""
    context = {"tenant_id": "bench", "scopes": "read write", "cursor_key": "00"}
    event = {
        "routeKey": route,
        "rawPath": route,
        "rawQueryString": query,
        "headers": headers or {},
        "pathParameters": path,
        "body": json.dumps(body) if body is not None else None,
        "requestContext": {"requestId": "bench", "authorizer": {"lambda": context}},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        answer = handler(event, None)
    if answer["statusCode"] >= 400:
        msg = f"{route} answered {answer['statusCode']}: {answer['body']}"
        raise RuntimeError(msg)
    return answer
