"""The routes over all layers, and usage."""

from agent_memory.bootstrap import counting, layers
from agent_memory.domain.unified import AgentOverviewQuery, OverviewQuery, SearchAll, layer_of
from agent_memory.entrypoints import episodic, semantic, working
from agent_memory.entrypoints.http import Response, Route, api, claimed, partial_meta
from agent_memory.entrypoints.request import Request
from agent_memory.service.unified import Overview

_STORES: dict[str, Route] = {"working": working.create, "episodic": episodic.append, "semantic": semantic.store}


def store(request: Request) -> Response:
    """POST /v1/memory: what the route of the layer does that the fields name."""
    return _STORES[layer_of(request.json)](request)


def overview(request: Request) -> Response:
    """GET /v1/memory/{agent_id}."""
    agent_id, asked = request.path_id("agent_id"), request.query(OverviewQuery)
    return _overview(layers.unified().overview(request.tenant_id, agent_id, asked.limit))


def overview_by_query(request: Request) -> Response:
    """GET /v1/memory?agent_id=."""
    asked = request.query(AgentOverviewQuery)
    return _overview(layers.unified().overview(request.tenant_id, asked.agent_id, asked.limit))


@claimed
def search(request: Request) -> Response:
    """POST /v1/memory/search."""
    found = layers.unified().search(request.tenant_id, request.body(SearchAll))
    return Response(200, {"results": found.results}, partial_meta(found.partial, found.degraded))


def usage(request: Request) -> Response:
    """GET /v1/usage."""
    return Response(200, counting.usage().of(request.tenant_id, request.caller.limits).model_dump())


def _overview(seen: Overview) -> Response:
    data = {"state": seen.state, "semantic": seen.semantic, "episodic": seen.episodic}
    return Response(200, data, partial_meta(seen.partial))


ROUTES = {
    "POST /v1/memory": store,
    "GET /v1/memory": overview_by_query,
    "GET /v1/memory/{agent_id}": overview,
    "POST /v1/memory/search": search,
    "GET /v1/usage": usage,
}
handler = api(ROUTES)
