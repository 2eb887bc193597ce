"""The routes of runs and of their tool calls, which the function of working memory serves."""

import re

from agent_memory.bootstrap import records
from agent_memory.domain.runs import NewStep, RunKey, RunQuery, RunsQuery
from agent_memory.domain.tool_calls import CallKey, Completion, NewClaim
from agent_memory.entrypoints.http import Response, Route, partial_meta
from agent_memory.entrypoints.request import Request
from agent_memory.errors import InvalidRequest

# One spelling for each number, so that a step has one path.
_STEP = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def put_step(request: Request) -> Response:
    """PUT /v1/runs/{run_id}/steps/{step}."""
    given = request.path_id("step")
    if not _STEP.fullmatch(given):
        raise InvalidRequest.of("step", "must be a whole number from 0 to 999999999, without leading zeros")
    step = records.runs().put(_run_key(request), int(given), request.body(NewStep), request.attempt)
    return Response(200, step.response())


def get(request: Request) -> Response:
    """GET /v1/runs/{run_id}."""
    key, query = _run_key(request), request.query(RunQuery)
    run, page, next_cursor = records.runs().get(key, query, request.caller.cursor_key)
    data = run.response() | {"steps": page.items, "next_cursor": next_cursor}
    return Response(200, data, partial_meta(page.partial))


def of_agent(request: Request) -> Response:
    """GET /v1/runs."""
    query = request.query(RunsQuery)
    page, next_cursor = records.runs().of_agent(request.tenant_id, query, request.caller.cursor_key)
    return Response(200, {"runs": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


def claim(request: Request) -> Response:
    """POST /v1/runs/{run_id}/tools/{call_id}."""
    key, new = _call_key(request), request.body(NewClaim)
    call, is_claimed = records.tool_calls().claim(key, new, request.attempt)
    return Response(201 if is_claimed else 200, call.response())


def complete(request: Request) -> Response:
    """PUT /v1/runs/{run_id}/tools/{call_id}."""
    key, new = _call_key(request), request.body(Completion)
    return Response(200, records.tool_calls().complete(key, new, request.attempt).response())


def _run_key(request: Request) -> RunKey:
    return RunKey(request.tenant_id, request.path_id("run_id"))


def _call_key(request: Request) -> CallKey:
    return CallKey(request.tenant_id, request.path_id("run_id"), request.path_id("call_id"))


ROUTES: dict[str, Route] = {
    "PUT /v1/runs/{run_id}/steps/{step}": put_step,
    "GET /v1/runs/{run_id}": get,
    "GET /v1/runs": of_agent,
    "POST /v1/runs/{run_id}/tools/{call_id}": claim,
    "PUT /v1/runs/{run_id}/tools/{call_id}": complete,
}
