"""Another tenant's name, wherever a careless deployment might read it; and nobody's name at all."""

import json
from collections.abc import Callable, Iterable, Iterator

from agent_memory.domain import api_key
from tests.isolation.arena import Arena, Leak
from tests.isolation.matrix import anything, technique
from tests.isolation.routes import Route
from tests.isolation.wire import Ask

_HEADERS = (
    "X-Tenant-Id",
    "X-Tenant",
    "X-TenantId",
    "Tenant-Id",
    "tenant_id",
    "X-Amz-Tenant-Id",
    "X-Amzn-Tenant-Id",
    "X-Amzn-Authorizer-Tenant-Id",
    "X-Forwarded-Tenant",
    "X-Amzn-Oidc-Identity",
    "X-Forwarded-User",
    "X-User-Id",
    "X-Org-Id",
    "X-Account-Id",
)


@technique("forged tenant in headers", anything)
def in_headers(arena: Arena, route: Route) -> None:
    name = arena.victim.name
    context = json.dumps({"tenant_id": name, "scopes": "read write erase admin", "authorizer": {"tenant_id": name}})
    forged = dict.fromkeys(_HEADERS, name) | {
        "X-Apigateway-Context": context,
        "X-Amzn-Request-Context": context,
        "Cookie": f"tenant_id={name}; tenant={name}",
        "Forwarded": f"for={name};host={name}.example.com",
        "X-Forwarded-Host": f"{name}.example.com",
    }
    _forge(arena, route, lambda ask: [ask.but(headers=forged)])


@technique("another route in headers", anything)
def route_in_headers(arena: Arena, route: Route) -> None:
    """Headers by which some servers let a request say that it is another one."""
    victims = f"/v1/memory/{arena.shared.ids['agent_id']}"
    forged = dict.fromkeys(("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Uri"), victims)
    forged |= dict.fromkeys(("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"), "GET")
    _forge(arena, route, lambda ask: [ask.but(headers=forged | {"X-Tenant-Id": arena.victim.name})])


@technique("forged tenant in the body", anything)
def in_body(arena: Arena, route: Route) -> None:
    name = arena.victim.name

    def forged(ask: Ask) -> Iterator[Ask]:
        for field in ("tenant_id", "tenantId", "requestContext"):
            value = name if field.startswith("tenant") else {"lambda": {"tenant_id": name}, "tenant_id": name}
            yield ask.but(body={**(ask.body or {}), field: value})
            if isinstance(ask.body, dict) and "items" in ask.body:
                yield ask.but(body={"items": [each | {field: value} for each in ask.body["items"]]})

    for ask, status, outcomes in _forge(arena, route, forged):
        if route.forms and (status != 400 and set(outcomes) != {400}):
            raise Leak(f"{route.name} takes {ask.body}: {status}")


@technique("forged tenant in the query", anything)
def in_query(arena: Arena, route: Route) -> None:
    name = arena.victim.name

    def forged(ask: Ask) -> Iterator[Ask]:
        for field in ("tenant_id", "tenant", "metadata.tenant_id"):
            yield ask.but(query=(*ask.query, (field, name)))

    for ask, status, _ in _forge(arena, route, forged):
        if route.writes and status != 400:
            raise Leak(f"{route.name} takes ?{ask.query}: {status}")


def _forge(arena: Arena, route: Route, forge: Callable[[Ask], Iterable[Ask]]) -> list[tuple[Ask, int, list[int]]]:
    """Ask for the victim's records and for nothing in particular, in another's name."""
    told = []
    for ids, all_ids in ((arena.shared.ids, True), (arena.own.ids, False)):
        if route.method == "DELETE" and ids is arena.own.ids:
            continue
        for ask in route.asks(ids, all_ids=all_ids):
            for forged in forge(ask):
                answer = arena.attack(forged)
                items = answer.data.get("results", []) if isinstance(answer.data, dict) else []
                told.append((forged, answer.status, [each.get("status", 0) for each in items]))
    if route.writes:
        arena.unharmed()
    return told


@technique("a web page of somebody else's", anything)
def origin(arena: Arena, route: Route) -> None:
    """No browser may read an answer on behalf of a page that the deployment does not name."""
    page = "https://attacker.example"
    for ask in route.asks(arena.own.ids, all_ids=False):
        if route.method == "DELETE":
            continue
        for asked in (
            ask.but(headers={"Origin": page}),
            Ask("OPTIONS", ask.path, headers=_preflight(page, ask.method)),
        ):
            answer = arena.attack(asked)
            if answer.headers.get("access-control-allow-origin") in ("*", page, "null"):
                raise Leak(f"{route.name} lets {page} read what it answers")


def _preflight(page: str, method: str) -> dict[str, str]:
    return {"Origin": page, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}


@technique("nobody's key", lambda route: route.scope is not None)
def nobody(arena: Arena, route: Route) -> None:
    """No key, junk, another scheme, and the victim's key id under a secret that is not its own. 401, each of them."""
    for authorization in _bad_keys(arena):
        for ask in route.asks(arena.shared.ids):
            answer = arena.attack(ask, authorization)
            if answer.status != 401:
                raise Leak(f"{route.name} answers {answer.status} to a caller that nobody knows: {answer.text[:300]}")
    if route.writes:
        arena.unharmed()


def _bad_keys(arena: Arena) -> Iterator[str | None]:
    yield None
    for key in ("junk", "test", "test-key", "dev", "admin", "amk_test"):  # a rival took test keys in production
        yield f"Bearer {key}"
    yield f"Bearer {api_key.new_key()[1]}"
    yield f"Bearer {arena.victim.name}"
    yield f"Basic {arena.attacker.key}"
    yield f"Bearer {arena.victim.key[:-1]}"
    prefix, key_id, _ = arena.victim.key.split("_", 2)
    secret = arena.attacker.key.split("_", 2)[2][: -api_key._CHECKSUM_LENGTH]
    mixed = f"{prefix}_{key_id}_{secret}"
    yield f"Bearer {mixed}{api_key._checksum(mixed)}"
