"""The route of the context."""

from agent_memory.bootstrap import knowledge
from agent_memory.domain.context import ContextRequest
from agent_memory.entrypoints.http import Response, claimed
from agent_memory.entrypoints.request import Request


@claimed
def build(request: Request) -> Response:
    """POST /v1/context."""
    asked = request.body(ContextRequest)
    return Response(200, knowledge.context().build(request.tenant_id, asked, request.began))


ROUTES = {"POST /v1/context": build}
