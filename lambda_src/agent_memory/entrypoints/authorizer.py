"""Lambda authorizer: API key to tenant.

It never denies: an HTTP API cannot shape the gateway's 403, so a bad key is let through without a tenant and the
edge answers our own 401. An outage raises, so that the gateway neither answers from it nor caches it.
"""

import time
from typing import Any

from agent_memory import bootstrap, logs


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with a simple response whose context is the caller's identity, or empty."""
    started = time.perf_counter()
    identity = bootstrap.api_keys().identify((event.get("headers") or {}).get("authorization") or "")
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
    return {"isAuthorized": True, "context": context}
