"""The routes of procedures, which the function `knowledge` serves."""

from agent_memory.bootstrap import knowledge
from agent_memory.domain.procedures import (
    MatchRequest,
    NewProcedure,
    OwnerQuery,
    ProcedureQuery,
    ProceduresQuery,
    RenderRequest,
)
from agent_memory.entrypoints.http import Response, claimed, partial_meta, takes_query
from agent_memory.entrypoints.request import Request


@claimed
def put(request: Request) -> Response:
    """PUT /v1/procedures/{name}: a new version, unless the newest one says the same."""
    new = request.body(NewProcedure)
    done = knowledge.procedures().put(request.tenant_id, request.path_id("name"), new, request.attempt)
    return Response(200, done.response())


def walk(request: Request) -> Response:
    """GET /v1/procedures: the newest version of each, by name."""
    asked = request.query(ProceduresQuery)
    page, next_cursor = knowledge.procedures().walk(request.tenant_id, asked, request.caller.cursor_key)
    return Response(200, {"procedures": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


def get(request: Request) -> Response:
    """GET /v1/procedures/{name}: the agent's own, or else the one of all agents."""
    asked, name = request.query(ProcedureQuery), request.path_id("name")
    return Response(200, knowledge.procedures().get(request.tenant_id, name, asked.agent_id, asked.version).response())


def versions(request: Request) -> Response:
    """GET /v1/procedures/{name}/versions: the newest first."""
    asked, name, key = request.query(ProceduresQuery), request.path_id("name"), request.caller.cursor_key
    page, next_cursor = knowledge.procedures().versions(request.tenant_id, name, asked, key)
    return Response(200, {"versions": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


@claimed
def render(request: Request) -> Response:
    """POST /v1/procedures/{name}/render."""
    name, asked = request.path_id("name"), request.body(RenderRequest)
    return Response(200, knowledge.procedures().render(request.tenant_id, name, asked))


@claimed
def match(request: Request) -> Response:
    """POST /v1/procedures/match."""
    found = knowledge.procedures().match(request.tenant_id, request.body(MatchRequest))
    procedures = [each.response() for each in found.found]
    return Response(200, {"procedures": procedures}, partial_meta(found.partial))


@takes_query
@claimed
def delete(request: Request) -> Response:
    """DELETE /v1/procedures/{name}: with all versions; of all agents, unless the query names one."""
    asked, name = request.query(OwnerQuery), request.path_id("name")
    knowledge.procedures().delete(request.tenant_id, name, asked.agent_id, request.attempt)
    return Response(204)


ROUTES = {
    "PUT /v1/procedures/{name}": put,
    "GET /v1/procedures": walk,
    "GET /v1/procedures/{name}": get,
    "GET /v1/procedures/{name}/versions": versions,
    "POST /v1/procedures/{name}/render": render,
    "POST /v1/procedures/match": match,
    "DELETE /v1/procedures/{name}": delete,
}
