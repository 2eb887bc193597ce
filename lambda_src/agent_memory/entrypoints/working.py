"""The routes of working memory: states, runs with their tool calls, and the flags that agents read."""

from agent_memory.bootstrap import records, tenants
from agent_memory.domain.fields import MAX_LIMIT, Body, Limit
from agent_memory.domain.state import NewState, StateKey, StatePatch, StateQuery, StateReplacement
from agent_memory.domain.uploads import NewUpload
from agent_memory.entrypoints import runs
from agent_memory.entrypoints.http import Response, api, partial_meta
from agent_memory.entrypoints.request import Request


class SessionsQuery(Body):
    """Query of GET /v1/state/{agent_id}/sessions."""

    # The published SDK asks once and takes the answer for all there is.
    limit: Limit = MAX_LIMIT
    cursor: str | None = None


def create(request: Request) -> Response:
    """POST /v1/state."""
    new = request.body(NewState)
    state = records.working().create(request.tenant_id, new, request.attempt, request.caller.cursor_key)
    return Response(201, state.response())


def get(request: Request) -> Response:
    """GET /v1/state/{agent_id}."""
    session_id = request.query(StateQuery).session_id
    key = StateKey(request.tenant_id, request.path_id("agent_id"), session_id)
    return Response(200, records.working().get(key).response())


def replace(request: Request) -> Response:
    """PUT /v1/state/{agent_id}."""
    agent_id, new = request.path_id("agent_id"), request.body(StateReplacement)
    state = records.working().replace(request.tenant_id, agent_id, new, request.attempt, request.caller.cursor_key)
    return Response(200, state.response())


def patch(request: Request) -> Response:
    """PATCH /v1/state/{agent_id}."""
    agent_id, new = request.path_id("agent_id"), request.body(StatePatch)
    state = records.working().patch(request.tenant_id, agent_id, new, request.attempt)
    return Response(200, state.response())


def sessions(request: Request) -> Response:
    """GET /v1/state/{agent_id}/sessions."""
    agent_id, query = request.path_id("agent_id"), request.query(SessionsQuery)
    page, next_cursor = records.working().sessions(
        request.tenant_id, agent_id, query.limit, query.cursor, request.caller.cursor_key
    )
    return Response(200, {"sessions": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


def delete(request: Request) -> Response:
    """DELETE /v1/state/{agent_id}/{session_id}."""
    key = StateKey(request.tenant_id, request.path_id("agent_id"), request.path_id("session_id"))
    records.working().delete(key, request.attempt)
    return Response(204)


class NoQuery(Body):
    """GET /v1/flags takes no parameters."""


def flags(request: Request) -> Response:
    """GET /v1/flags."""
    request.query(NoQuery)
    return Response(200, {"flags": tenants.tenant_flags().of(request.tenant_id)})


def announce_upload(request: Request) -> Response:
    """POST /v1/uploads."""
    new = request.body(NewUpload)
    upload = records.uploads().announce(request.tenant_id, new, request.attempt, request.caller.cursor_key)
    return Response(201, upload.model_dump())


ROUTES = {
    **runs.ROUTES,
    "GET /v1/flags": flags,
    "POST /v1/state": create,
    "GET /v1/state/{agent_id}": get,
    "PUT /v1/state/{agent_id}": replace,
    "PATCH /v1/state/{agent_id}": patch,
    "GET /v1/state/{agent_id}/sessions": sessions,
    "DELETE /v1/state/{agent_id}/{session_id}": delete,
    "POST /v1/uploads": announce_upload,
}
handler = api(ROUTES)
