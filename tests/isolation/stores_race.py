"""Two tenants in one warm function: whatever it keeps between requests must not be the other's."""

import threading
from concurrent.futures import ThreadPoolExecutor

from agent_memory.domain.identifiers import to_path
from tests.isolation.arena import Leak, Tenant
from tests.isolation.planting import WORD, mark
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack
from tests.isolation.wire import Ask

_ROUNDS = 25


def _kinds(agent: str, said: str) -> dict[str, tuple[Ask, Ask]]:
    """Of each function: what a tenant writes, and how it reads it; the same ids for both tenants."""
    ids, path = {"agent_id": agent, "session_id": "default"}, to_path(agent)
    episode = {**ids, "type": "action", "content": said}
    memory = {"agent_id": agent, "content": f"{said} is the word.", "dedupe": False}
    query = {"query": "what is the word", "agent_id": agent}
    fact = {"agent_id": agent, "user_id": agent, "subject": "the word", "predicate": "is", "value": said}
    return {
        "knowledge": (Ask("PUT", "/v1/facts", body=fact), Ask("GET", "/v1/facts", (("user_id", agent),))),
        "working": (Ask("POST", "/v1/state", body={**ids, "data": {"said": said}}), Ask("GET", f"/v1/state/{path}")),
        "episodic": (Ask("POST", "/v1/memory/episodic", body=episode), Ask("GET", f"/v1/memory/episodic/{path}")),
        "semantic": (
            Ask("POST", "/v1/memory/semantic", body=memory),
            Ask("POST", "/v1/memory/semantic/search", body=query),
        ),
        "unified": (
            Ask("POST", "/v1/memory", body=memory | {"content": f"{said} is another word."}),
            Ask("GET", f"/v1/memory/{path}"),
        ),
    }


def _race(ground: Ground, kind: str) -> None:
    agent = mark("raced")
    said = {tenant.name: mark("said") for tenant in (ground.arena.attacker, ground.arena.victim)}
    tenants = (ground.arena.attacker, ground.arena.victim)
    for tenant in tenants:
        tenant.agents.add(agent)
        written = tenant.send(_kinds(agent, said[tenant.name])[kind][0])
        if written.status not in (200, 201):
            raise Unfilled(f"nothing could be written: {written.text[:300]}")
    read = _kinds(agent, "")[kind][1]
    for tenant in tenants * _ROUNDS:  # in turns, on whatever the function keeps warm
        _check(tenant, read, said)
    together = threading.Barrier(len(tenants))

    def hurry(tenant: Tenant) -> None:
        together.wait()
        for _ in range(_ROUNDS):
            _check(tenant, read, said)

    with ThreadPoolExecutor(len(tenants)) as pool:
        list(pool.map(hurry, tenants))


def _check(tenant: Tenant, read: Ask, said: dict[str, str]) -> None:
    answer = tenant.send(read)
    found = set(WORD.findall(answer.text)) & set(said.values())
    if found - {said[tenant.name]}:
        raise Leak(f"{read.method} {read.path} answers {tenant.name} with another tenant's words")
    if answer.status == 200 and not found:
        raise Unfilled(f"{tenant.name} is not answered with its own words: {answer.text[:300]}")


def _add(kind: str) -> None:
    @store_attack(f"warm function {kind}", "two tenants in turns and at once")
    def run(ground: Ground) -> None:
        _race(ground, kind)


for _kind in _kinds("", ""):
    _add(_kind)
