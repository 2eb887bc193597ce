"""From the end of a session to its being found: 200 sessions one after another, over HTTP against the local stack.

A session counts from when its request is sent. It is searchable once a search gives its summary back, which is asked
again and again, as its job is whether it is done.
"""

import math
import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from bench.report import Line
from local.api import Api
from local.console import clear_status, status
from local.stack import Stack

SESSIONS = 200
BUDGET_S = 5.0
_AT_ONCE = 2
_GIVEN_UP_S = 30.0
_LOOK_S = 0.1
_WARM_UP = 3


class Took(NamedTuple):
    """Seconds from the request on."""

    accepted: float
    done: float
    searchable: float


def measure(stack: Stack) -> list[Line]:
    """End sessions of an agent of its own, which is removed again."""
    api, agent = Api(stack.api_url, stack.api_key), f"bench-{secrets.token_hex(6)}"
    try:
        for number in range(_WARM_UP):
            _end(api, agent, f"warm-{number}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            took = []
            for each in pool.map(lambda number: _end(api, agent, f"s{number}"), range(SESSIONS)):
                took.append(each)
                status(f"  sessions: {len(took)} of {SESSIONS}")
    finally:
        clear_status()
        api.data("DELETE", f"/v1/memory/{agent}")
    return [
        _line("accepted", [each.accepted for each in took], None),
        _line("job done", [each.done for each in took], None),
        _line("searchable", [each.searchable for each in took], BUDGET_S),
    ]


def _end(api: Api, agent: str, session: str) -> Took:
    word = f"zeppelin{secrets.token_hex(6)}"
    body = {
        "agent_id": agent,
        "user_id": f"user-{session}",
        "summary": f"The user asked about {word} and wants to hear of it again on Monday.",
        "topics": [word],
        "facts": [{"subject": "user", "predicate": "interest", "value": word, "cardinality": "one"}],
    }
    started = time.monotonic()
    job = api.data("POST", f"/v1/sessions/{session}/end", json=body)["job_id"]
    accepted = time.monotonic() - started
    done = found = math.inf
    while math.inf in (done, found) and time.monotonic() - started < _GIVEN_UP_S:
        if found == math.inf and _finds(api, agent, word):
            found = time.monotonic() - started
        if done == math.inf and api.data("GET", f"/v1/jobs/{job}")["status"] == "done":
            done = time.monotonic() - started
        time.sleep(_LOOK_S)
    return Took(accepted, done, found)


def _finds(api: Api, agent: str, word: str) -> bool:
    asked = {"agent_id": agent, "namespace": "summaries", "query": word, "top_k": 1}
    results = api.ask("/v1/memory/semantic/search", asked)["data"]["results"]
    return any(word in each["content"] for each in results)


def _line(what: str, seconds: list[float], budget_s: float | None) -> Line:
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    measured = f"p50 {statistics.median(seconds):.2f} s, p95 {p95:.2f} s"
    if budget_s is None:
        return Line(f"end of a session to {what}, {len(seconds)} sessions", measured, "", None)
    return Line(
        f"end of a session to {what}, {len(seconds)} sessions", measured, f"p95 < {budget_s:.0f} s", p95 < budget_s
    )
