"""Health, readiness, and the answer to every route that does not exist."""

from agent_memory import __version__
from agent_memory.bootstrap import readiness
from agent_memory.entrypoints.http import Response, api
from agent_memory.entrypoints.request import Request
from agent_memory.errors import NotFound, StoreUnavailable


def health(_request: Request) -> Response:
    """GET /v1/health: the function runs; no store is touched."""
    return Response(200, {"status": "ok", "version": __version__})


def ready(_request: Request) -> Response:
    """GET /v1/health/ready: each store by itself; 503 unless all of them answer."""
    stores = readiness.readiness().run()
    if any(store["state"] != "ok" for store in stores.values()):
        raise StoreUnavailable("not every store answers", details=stores)
    return Response(200, {"status": "ok", "stores": stores})


def unknown(_request: Request) -> Response:
    """$default."""
    raise NotFound("no such route")


ROUTES = {"GET /v1/health": health, "GET /v1/health/ready": ready, "$default": unknown}
# Whether the stores answer is the operator's question, and asking it writes nothing.
handler = api(ROUTES, counted=False)
