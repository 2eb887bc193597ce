"""The routes of episodic memory."""

from agent_memory.bootstrap import episodes
from agent_memory.domain.episode import EpisodeBatch, NewEpisode, Position
from agent_memory.domain.timeline import EpisodeQuery, ReplayQuery
from agent_memory.entrypoints.http import Response, api, batch_results, partial_meta
from agent_memory.entrypoints.request import Request
from agent_memory.errors import NotFound
from agent_memory.service.paging import Page


def append(request: Request) -> Response:
    """POST /v1/memory/episodic."""
    new = request.body(NewEpisode)
    caller = request.caller
    episode = episodes.episodic().append(
        caller.tenant_id, new, request.attempt, caller.cursor_key, caller.limits.retention
    )
    return Response(201, episode.response())


def append_batch(request: Request) -> Response:
    """POST /v1/memory/episodic/batch."""
    batch = request.body(EpisodeBatch)
    caller = request.caller
    outcomes = episodes.episode_batches().append(
        caller.tenant_id, batch.items, request.attempt, batch_results, caller.cursor_key, caller.limits.retention
    )
    return Response(200, batch_results(outcomes))


def query(request: Request) -> Response:
    """GET /v1/memory/episodic/{agent_id}."""
    agent_id, asked = request.path_id("agent_id"), request.query(EpisodeQuery)
    if (numbered := asked.numbered_page) is not None:
        return _numbered_page(request, agent_id, asked, *numbered)
    page, next_cursor = episodes.episodic().query(request.tenant_id, agent_id, asked, request.caller.cursor_key)
    return _page(page, next_cursor)


def _numbered_page(request: Request, agent_id: str, asked: EpisodeQuery, number: int, size: int) -> Response:
    found, next_cursor = episodes.episodic().numbered_page(
        request.tenant_id, agent_id, asked, number, size, request.caller.cursor_key
    )
    place = {"page": number, "per_page": size, "total": found.total}
    return Response(
        200,
        {"episodes": found.page.items, "next_cursor": next_cursor, **place},
        partial_meta(found.page.partial),
    )


def replay(request: Request) -> Response:
    """GET /v1/memory/episodic/{agent_id}/sessions/{session_id}: oldest first."""
    agent_id, asked = request.path_id("agent_id"), request.query(ReplayQuery)
    whole = EpisodeQuery.model_construct(
        session_id=request.path_id("session_id"), order="oldest", limit=asked.limit, cursor=asked.cursor
    )
    page, next_cursor = episodes.episodic().query(request.tenant_id, agent_id, whole, request.caller.cursor_key)
    if not page.items and asked.cursor is None and not page.partial:
        raise NotFound("no episodes for this agent and session")
    return _page(page, next_cursor)


def _page(page: Page[Position], next_cursor: str | None) -> Response:
    return Response(200, {"episodes": page.items, "next_cursor": next_cursor}, partial_meta(page.partial))


ROUTES = {
    "POST /v1/memory/episodic": append,
    "POST /v1/memory/episodic/batch": append_batch,
    "GET /v1/memory/episodic/{agent_id}": query,
    "GET /v1/memory/episodic/{agent_id}/sessions/{session_id}": replay,
}
handler = api(ROUTES)
