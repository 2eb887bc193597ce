"""What belongs to the victim, used by the attacker: ids, cursors, idempotency keys, a text to merge with."""

import base64
import secrets
from collections.abc import Iterator, Mapping

from tests.isolation.arena import Arena, Leak
from tests.isolation.matrix import technique
from tests.isolation.routes import Route, Unfilled
from tests.isolation.wire import Answer, Ask


@technique("foreign id in the path", lambda route: bool(route.path_ids))
def id_in_path(arena: Arena, route: Route) -> None:
    _foreign(arena, route, route.path_ids)


@technique("foreign id in the query", lambda route: bool(route.query_ids))
def id_in_query(arena: Arena, route: Route) -> None:
    _foreign(arena, route, route.query_ids)


@technique("foreign id in the body", lambda route: bool(route.body_ids))
def id_in_body(arena: Arena, route: Route) -> None:
    _foreign(arena, route, route.body_ids)


def _foreign(arena: Arena, route: Route, names: tuple[str, ...]) -> None:
    """The victim's ids in one place with the attacker's own in all others, each alone, and the victim's everywhere."""
    victim, own = arena.shared.ids, arena.own.ids
    mixtures = [{**own, name: victim[name]} for name in names] if len(names) > 1 else []
    for ids in (*mixtures, {**own, **{name: victim[name] for name in names}}, victim):
        # The attacker's own agent stays out of what removes things: the attacks to come are made with it.
        if route.method == "DELETE" and ids.get("agent_id") == own["agent_id"]:
            continue
        for ask in route.asks(ids):
            arena.attack(ask)
    if route.writes:
        arena.unharmed()


@technique("foreign cursor", lambda route: route.takes_cursor)
def cursor(arena: Arena, route: Route) -> None:
    victims = next_cursor(arena.victim.send(_page(route, arena.shared.ids)), route)
    own = next_cursor(arena.attacker.send(_page(route, arena.own.ids)), route)
    arena.untold.add(victims)
    for ids in (arena.shared.ids, arena.own.ids):
        for forged in (victims, *_changed(own, victims)):
            answer = arena.attack(_with_cursor(_page(route, ids), forged))
            if answer.status != 400:
                raise Leak(f"{route.name} takes a cursor that it did not give this tenant: {answer.status}")
    going_on = arena.attack(_with_cursor(_page(route, arena.own.ids), own))
    if going_on.status != 200:
        raise Unfilled(f"{route.name} refuses its own cursor, so refusing others proves nothing: {going_on.text[:200]}")


def _page(route: Route, ids: Mapping[str, str]) -> Ask:
    """A page of one. With a session's id a list of sessions would have one entry, so what can be left out is."""
    ask = next(route.asks(ids, all_ids=False))
    may_be_narrowed = "agent_id" in route.query_ids and "agent_id" not in route.required_query
    narrowed = [("agent_id", ids["agent_id"])] if may_be_narrowed else []
    return ask.but(query=(*ask.query, *narrowed, ("limit", "1")))


def _with_cursor(ask: Ask, cursor: str) -> Ask:
    return ask.but(query=(*ask.query, ("cursor", cursor)))


def next_cursor(answer: Answer, route: Route) -> str:
    """The cursor of a page that is not the last."""
    found = (answer.data or {}).get("next_cursor")
    if not found:
        raise Unfilled(f"{route.name} gives no cursor to attack with: {answer.status} {answer.text[:300]}")
    return str(found)


def _changed(own: str, victims: str) -> Iterator[str]:
    """A cursor with another tag, with no tag, with the victim's position under the attacker's tag."""
    mine, theirs = (base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in (own, victims))
    for forged in (theirs[:16] + mine[16:], mine[:16] + theirs[16:], bytes(16) + theirs[16:], theirs[16:]):
        if forged != mine:
            yield base64.urlsafe_b64encode(forged).decode().rstrip("=")


@technique("foreign idempotency key", lambda route: route.method != "GET" and route.scope is not None)
def idempotency_key(arena: Arena, route: Route) -> None:
    """The same request, and another one, under a key that the victim used a moment ago: new to the attacker, both."""
    victim = arena.fresh(route)
    for theirs in route.asks(victim.ids):
        for mine in (theirs, *route.asks(arena.own.ids)):
            if route.method == "DELETE" and mine is not theirs:
                continue
            headers = {"Idempotency-Key": f"key-{secrets.token_hex(8)}"}
            if arena.victim.send(theirs.but(headers=headers)).status >= 500:
                raise Unfilled(f"{route.name} does not answer its own tenant")
            answer = arena.attack(mine.but(headers=headers))
            if "idempotency-replayed" in answer.headers or "Idempotency-Key" in answer.text:
                raise Leak(f"{route.name} answers what it answered another tenant: {answer.text[:300]}")


@technique("the victim's text to be merged with", lambda route: "dedupe" in route.body_fields)
def duplicate(arena: Arena, route: Route) -> None:
    """Near duplicates merge, but never over the wall; a rival merged them over its namespaces."""
    victim = arena.fresh(route)
    before = arena.look(victim)
    for text in (victim.memory, victim.memory.replace("third", "very third")):
        for ask in route.asks(victim.ids, {"content": text, "dedupe": True}):
            if "dedupe" not in str(ask.body):
                continue
            answer = arena.attack(ask)
            for stored in answer.data.get("results", [{"data": answer.data}]):
                if stored["data"]["id"] in victim.made:
                    raise Leak(f"{route.name} merged a text into another tenant's: {answer.text[:300]}")
    arena.unharmed(victim, before)


@technique("foreign upload", lambda route: "upload_id" in route.body_ids)
def upload(arena: Arena, route: Route) -> None:
    """What the victim uploaded a moment ago, by its own id and by ids made of that and of the attacker's."""
    theirs, own = arena.fresh(route).ids["upload_id"], arena.own.ids["upload_id"]
    for forged in (theirs, *_changed(own, theirs)):
        for answer in _taking(arena, route, forged):
            if answer != 404:
                raise Leak(f"{route.name} takes an upload that this tenant did not announce: {answer}")
    # A version that another attack has written over is a conflict, after the upload was found.
    if not {201, 409} & set(_taking(arena, route, own)):
        raise Unfilled(f"{route.name} does not take an upload of its own tenant, so refusing others proves nothing")


def _taking(arena: Arena, route: Route, upload_id: str) -> list[int]:
    """The status of each form of the route that takes an upload."""
    told = []
    for ask in route.asks({**arena.own.ids, "upload_id": upload_id}):
        if upload_id in str(ask.body):
            answer = arena.attack(ask)
            items = answer.data.get("results", []) if isinstance(answer.data, dict) else []
            told += [each["status"] for each in items] or [answer.status]
    return told
