"""The routes that remove what is known."""

from agent_memory.bootstrap import layers
from agent_memory.entrypoints.http import Response, api
from agent_memory.entrypoints.request import Request


def purge(request: Request) -> Response:
    """DELETE /v1/memory/{agent_id}."""
    purged = layers.purge().run(request.tenant_id, request.path_id("agent_id"), request.attempt)
    return Response(200, purged.model_dump())


ROUTES = {"DELETE /v1/memory/{agent_id}": purge}
handler = api(ROUTES)
