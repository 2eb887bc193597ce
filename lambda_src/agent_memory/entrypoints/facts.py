"""The routes of facts."""

from uuid import UUID

from agent_memory.bootstrap import knowledge
from agent_memory.domain.fact_requests import FactBundle, FactHistoryQuery, FactsQuery, NewFact
from agent_memory.entrypoints.http import Response, claimed, partial_meta
from agent_memory.entrypoints.request import Request
from agent_memory.errors import InvalidRequest


@claimed
def put(request: Request) -> Response:
    """PUT /v1/facts."""
    told = knowledge.facts().put(request.tenant_id, request.body(NewFact), request.attempt)
    return Response(200, told.response())


@claimed
def put_all(request: Request) -> Response:
    """POST /v1/facts/batch."""
    bundle = request.body(FactBundle)
    told = knowledge.facts().put_all(request.tenant_id, bundle.items, request.attempt)
    return Response(200, {"facts": [each.response() for each in told]})


def find(request: Request) -> Response:
    """GET /v1/facts."""
    page = knowledge.facts().find(request.tenant_id, request.query(FactsQuery), request.caller.cursor_key)
    return Response(200, {"facts": page.facts, "next_cursor": page.next_cursor}, partial_meta(page.partial))


def history(request: Request) -> Response:
    """GET /v1/facts/{fact_id}/history."""
    fact_id, asked = _fact_id(request), request.query(FactHistoryQuery)
    page = knowledge.facts().history(request.tenant_id, fact_id, asked, request.caller.cursor_key)
    told = {"id": fact_id, "history": page.facts, "next_cursor": page.next_cursor}
    return Response(200, told, partial_meta(page.partial))


@claimed
def retract(request: Request) -> Response:
    """DELETE /v1/facts/{fact_id}."""
    knowledge.facts().change(request.tenant_id, _fact_id(request), "retract", request.attempt)
    return Response(204)


@claimed
def restore(request: Request) -> Response:
    """POST /v1/facts/{fact_id}/restore."""
    told = knowledge.facts().change(request.tenant_id, _fact_id(request), "restore", request.attempt)
    return Response(200, told.response())


def _fact_id(request: Request) -> str:
    """Ids of facts are UUIDs in their usual spelling; another spelling would be a second name of the same."""
    given = request.path_id("fact_id")
    try:
        known = str(UUID(given)) == given
    except ValueError:
        known = False
    if not known:
        raise InvalidRequest.of("fact_id", "must be a UUID in lower case, as the API gave it")
    return given


ROUTES = {
    "PUT /v1/facts": put,
    "POST /v1/facts/batch": put_all,
    "GET /v1/facts": find,
    "GET /v1/facts/{fact_id}/history": history,
    "DELETE /v1/facts/{fact_id}": retract,
    "POST /v1/facts/{fact_id}/restore": restore,
}
