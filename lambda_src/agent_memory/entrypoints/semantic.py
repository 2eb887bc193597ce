"""The routes of semantic memory."""

from uuid import UUID

from agent_memory.bootstrap import memories
from agent_memory.domain.semantic import MemoriesQuery, MemoryBatch, NewMemory, SearchRequest
from agent_memory.entrypoints.http import Response, api, batch_results, claimed, partial_meta
from agent_memory.entrypoints.request import Request
from agent_memory.errors import InvalidRequest


@claimed
def store(request: Request) -> Response:
    """POST /v1/memory/semantic."""
    new = request.body(NewMemory)
    stored = memories.semantic().store(request.tenant_id, new, request.attempt)
    return Response(stored.status, stored.response())


@claimed
def store_batch(request: Request) -> Response:
    """POST /v1/memory/semantic/batch."""
    batch = request.body(MemoryBatch)
    outcomes = memories.semantic_batches().store(request.tenant_id, batch.items, request.attempt, batch_results)
    return Response(200, batch_results(outcomes))


@claimed
def search(request: Request) -> Response:
    """POST /v1/memory/semantic/search."""
    found = memories.semantic().search(request.tenant_id, request.body(SearchRequest))
    return Response(200, {"results": found.results}, partial_meta(found.partial, found.degraded))


def walk(request: Request) -> Response:
    """GET /v1/memory/semantic: every memory, the newest first."""
    asked = request.query(MemoriesQuery)
    page, next_cursor = memories.semantic().walk(request.tenant_id, asked, request.caller.cursor_key)
    return Response(200, {"results": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


def get(request: Request) -> Response:
    """GET /v1/memory/semantic/{id}."""
    return Response(200, memories.semantic().get(request.tenant_id, _memory_id(request)).response())


def history(request: Request) -> Response:
    """GET /v1/memory/semantic/{id}/history."""
    memory_id = _memory_id(request)
    told = memories.semantic().history(request.tenant_id, memory_id)
    return Response(200, {"id": memory_id, "history": told.results}, partial_meta(told.partial))


def delete(request: Request) -> Response:
    """DELETE /v1/memory/semantic/{id}."""
    memories.semantic().delete(request.tenant_id, _memory_id(request), request.attempt)
    return Response(204)


def _memory_id(request: Request) -> str:
    """Ids of memories are UUIDs in their usual spelling; another spelling would be a second name of the same."""
    given = request.path_id("id")
    try:
        known = str(UUID(given)) == given
    except ValueError:
        known = False
    if not known:
        raise InvalidRequest.of("id", "must be a UUID in lower case, as the API gave it")
    return given


ROUTES = {
    "POST /v1/memory/semantic": store,
    "POST /v1/memory/semantic/batch": store_batch,
    "POST /v1/memory/semantic/search": search,
    "GET /v1/memory/semantic": walk,
    "GET /v1/memory/semantic/{id}": get,
    "GET /v1/memory/semantic/{id}/history": history,
    "DELETE /v1/memory/semantic/{id}": delete,
}
handler = api(ROUTES)
