"""Ids that mean something to a store, a server or an eye, and nothing to us."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

from agent_memory.domain.identifiers import to_path
from tests.isolation.arena import Arena, Leak
from tests.isolation.matrix import technique
from tests.isolation.routes import Route
from tests.isolation.wire import Ask

# How many spellings are tried on the agent's id alone, with all other ids as the victim has them.
_ALONE = 2
Odd = Callable[[str, str], list[str]]
# From one of the victim's ids and the victim's name.
STYLES: dict[str, Odd] = {
    "delimiters in ids": lambda id_, tenant: [
        f"{tenant}#{id_}",
        f"{id_}#0",
        f"x#{tenant}#{id_}",
        f"%23{tenant}%23{id_}",
        f"../../{tenant}/{id_}",
        f"{tenant}/{id_}/",
        f"{id_}:0|{tenant}",
    ],
    "SQL in ids": lambda id_, tenant: [
        "' OR '1'='1",
        f"{id_}' OR tenant_id = '{tenant}",
        f"'; SELECT set_config('memory.tenant_id', '{tenant}', false); --",
        f"{id_}') UNION TABLE memory.memories --",
        "$$ || $1 || $$",
        "\\x27 OR 1=1",
    ],
    "NUL in ids": lambda id_, tenant: [f"{id_}\x00", f"\x00{id_}", f"{tenant}\x00{id_}"],
    "RTL marks in ids": lambda id_, _: [f"{id_}\u200f", f"\u202e{id_[::-1]}", f"\u200e{id_}", f"{id_}\u2069"],
    "emoji in ids": lambda id_, _: [f"{id_}🦊", "👩‍👩‍👧‍👦" + id_, f"{id_}️", "\U0001f3f4\U000e0067\U000e007f"],
    "look-alike ids": lambda id_, _: [id_.upper(), f"{id_} ", f" {id_}", id_.replace("a", "а"), id_.replace("e", "ｅ")],
    "wildcards in ids": lambda id_, _: ["*", "%", "_", f"{id_[:6]}*", f"{id_[:6]}%", ".*", "null"],
}


def _takes_ids(route: Route) -> bool:
    return bool(route.ids)


def _add(name: str, style: Odd) -> None:
    @technique(name, _takes_ids)
    def run(arena: Arena, route: Route) -> None:
        for ids in _odd(arena, route, style):
            for ask in route.asks(ids):
                arena.attack(ask)
                if route.path_ids:
                    arena.attack(ask.but(path=_as_it_is(route, ids)))
        if route.writes:
            arena.unharmed()


for _name, _style in STYLES.items():
    _add(_name, _style)


def _odd(arena: Arena, route: Route, style: Odd) -> Iterator[dict[str, str]]:
    """Each odd spelling of the victim's ids: of all of them, and of one agent's with the rest as they are."""
    victim = dict(arena.shared.ids)
    spellings = {name: style(victim[name], arena.victim.name) for name in route.ids}
    for place in range(len(next(iter(spellings.values())))):
        yield victim | {name: odd[place] for name, odd in spellings.items()}
        if "agent_id" in spellings and len(spellings) > 1 and place < _ALONE:
            yield victim | {"agent_id": spellings["agent_id"][place]}


def _as_it_is(route: Route, ids: dict[str, str]) -> str:
    """The path with the odd ids percent-encoded, against the contract."""
    path = route.template
    for name in route.path_ids:
        path = path.replace("{" + name + "}", quote(ids[name], safe=""))
    return path


@technique("ids of another type", lambda route: bool(route.body_ids))
def types(arena: Arena, route: Route) -> None:
    """Operators and lists in place of an id, which stores that take JSON would obey."""
    victim = arena.shared.ids
    for ask in route.asks(victim):
        body = ask.body["items"][0] if "items" in ask.body else ask.body
        for name in filter(lambda each: each in body, route.body_ids):
            for value in ({"$ne": None}, [victim[name]], {"S": victim[name]}, 0):
                odd = body | {name: value}
                answer = arena.attack(ask.but(body={"items": [odd]} if "items" in ask.body else odd))
                items = (answer.data or {}).get("results", [])
                if answer.status != 400 and [each.get("status") for each in items] != [400]:
                    raise Leak(f"{route.name} takes {json.dumps(value)} for {name}: {answer.status}")
    if route.writes:
        arena.unharmed()


@technique("an id given twice", lambda route: bool(route.query_ids))
def twice(arena: Arena, route: Route) -> None:
    """The attacker's own and the victim's: a check that reads the first and a store that reads the last."""
    for ask in route.asks(arena.own.ids):
        for name in route.query_ids:
            for query in ((*ask.query, (name, arena.shared.ids[name])), ((name, arena.shared.ids[name]), *ask.query)):
                answer = arena.attack(ask.but(query=query))
                if answer.status != 400:
                    raise Leak(f"{route.name} takes {name} twice: {answer.status}")


@technique("paths that lead elsewhere", lambda route: not route.path_ids and " " not in route.name)
def elsewhere(arena: Arena, route: Route) -> None:
    """Paths that a router may read as another tenant's, or another route's without its checks."""
    agent, tenant = to_path(arena.shared.ids["agent_id"]), arena.victim.name
    for path in (
        f"/v1/{tenant}/state/{agent}",
        f"/v1/tenants/{tenant}/memory/{agent}",
        f"/{tenant}/v1/memory/{agent}",
        f"/v1/memory/{agent};tenant_id={tenant}",
        f"/v1/memory/{agent}/",
        f"//v1//memory//{agent}",
        f"/V1/Memory/{agent}",
        f"/v1/health/../memory/{agent}",
        f"/v1/health/%2e%2e/memory/{agent}",
        f"/v1/memory/{agent}%00",
        f"/v1/memory/{agent}.json",
        "/v1/memory/semantic/%2e%2e/episodic",
    ):
        for authorization in ("own", None):
            arena.attack(Ask("GET", path), authorization)
