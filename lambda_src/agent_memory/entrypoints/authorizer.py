"""Lambda authorizer: API key to tenant.

It never denies: an HTTP API cannot shape the gateway's 403, so a bad key is let through without a tenant and the
edge answers our own 401. An outage raises, so that the gateway neither answers from it nor caches it.

It also tells the edge the tenant's limits, so that a change of them holds as soon as a revocation does.
"""

import time
from typing import Any

from agent_memory import logs
from agent_memory.bootstrap import tenants
from agent_memory.service.keys import Identity


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with a simple response whose context is the caller's identity, or empty."""
    started = time.perf_counter()
    identity = tenants.api_keys().identify((event.get("headers") or {}).get("authorization") or "")
    limits = tenants.tenant_limits().of(identity.tenant_id).write() if identity else ""
    if identity and identity.is_use_due:
        _note_use(identity, event)
    logs.line(
        route="authorizer",
        known=identity is not None,
        key_id=identity.key_id if identity else None,
        latency_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    if identity is None:
        return {"isAuthorized": True, "context": {}}
    context = {
        "tenant_id": identity.tenant_id,
        "scopes": " ".join(identity.scopes),
        "key_id": identity.key_id,
        "cursor_key": identity.cursor_key,
    }
    return {"isAuthorized": True, "context": context | ({"limits": limits} if limits else {})}


def _note_use(identity: Identity, event: dict[str, Any]) -> None:
    """Nobody is kept out because of what could not be noted; the next call tries again."""
    try:
        tenants.api_keys().note_use(identity)
    except Exception as exc:  # noqa: BLE001 - as above, a bug too
        logs.crash(event["requestContext"]["requestId"], exc)
