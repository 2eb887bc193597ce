"""The routes of semantic memory."""

from uuid import UUID

from agent_memory import bootstrap
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.semantic import MemoriesQuery, MemoryBatch, NewMemory, SearchRequest
from agent_memory.domain.semantic_store import Stored
from agent_memory.entrypoints.http import Response, api, error_body, error_status
from agent_memory.entrypoints.request import Request
from agent_memory.errors import InvalidRequest
from agent_memory.service.semantic_batch import Outcome


def store(request: Request) -> Response:
    """POST /v1/memory/semantic."""
    new = request.body(NewMemory)
    return Response(201, bootstrap.semantic().store(request.tenant_id, new, request.attempt).response())


def store_batch(request: Request) -> Response:
    """POST /v1/memory/semantic/batch."""
    batch = request.body(MemoryBatch)
    outcomes = bootstrap.semantic_batches().store(request.tenant_id, batch.items, request.attempt, _results)
    return Response(200, _results(outcomes))


def search(request: Request) -> Response:
    """POST /v1/memory/semantic/search."""
    found = bootstrap.semantic().search(request.tenant_id, request.body(SearchRequest))
    return Response(200, {"results": found.results}, _partial(found.partial))


def walk(request: Request) -> Response:
    """GET /v1/memory/semantic: every memory, the newest first."""
    asked = request.query(MemoriesQuery)
    page, next_cursor = bootstrap.semantic().walk(request.tenant_id, asked, request.caller.cursor_key)
    return Response(200, {"results": page.items, "next_cursor": next_cursor}, _partial(page.partial))


def get(request: Request) -> Response:
    """GET /v1/memory/semantic/{id}."""
    return Response(200, bootstrap.semantic().get(request.tenant_id, _memory_id(request)).response())


def history(request: Request) -> Response:
    """GET /v1/memory/semantic/{id}/history."""
    memory_id = _memory_id(request)
    told = bootstrap.semantic().history(request.tenant_id, memory_id)
    return Response(200, {"id": memory_id, "history": told.results}, _partial(told.partial))


def delete(request: Request) -> Response:
    """DELETE /v1/memory/semantic/{id}."""
    bootstrap.semantic().delete(request.tenant_id, _memory_id(request), request.attempt)
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


def _partial(partial: bool) -> JsonObject:  # noqa: FBT001 (a fact, not a switch)
    return {"partial": True} if partial else {}


def _results(outcomes: list[Outcome]) -> JsonObject:
    return {
        "results": [
            {"status": 201, "data": outcome.response()}
            if isinstance(outcome, Stored)
            else {"status": error_status(outcome), "error": error_body(outcome)}
            for outcome in outcomes
        ]
    }


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
