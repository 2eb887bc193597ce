"""The routes of sessions and jobs, which the function `knowledge` serves."""

from agent_memory.bootstrap import jobs
from agent_memory.domain.sessions import SessionEnd
from agent_memory.entrypoints.http import Response, Route
from agent_memory.entrypoints.request import Request
from agent_memory.service.sessions import accepted


def end(request: Request) -> Response:
    """POST /v1/sessions/{session_id}/end."""
    session_id, new = request.path_id("session_id"), request.body(SessionEnd)
    return Response(202, accepted(jobs.sessions().end(request.tenant_id, session_id, new, request.attempt)))


def job(request: Request) -> Response:
    """GET /v1/jobs/{job_id}."""
    return Response(200, jobs.sessions().job(request.tenant_id, request.path_id("job_id")).response())


ROUTES: dict[str, Route] = {
    "POST /v1/sessions/{session_id}/end": end,
    "GET /v1/jobs/{job_id}": job,
}
