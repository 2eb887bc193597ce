"""Two tenants of one deployment: one attacks, the other must neither be heard nor harmed.

Whatever the attacker is answered is searched for marks of the victim that the attacker itself never said.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from agent_memory.domain.identifiers import from_path, to_path
from tests.isolation.planting import WORD, Planted, plant
from tests.isolation.routes import Route
from tests.isolation.wire import Answer, Ask, Door

_AT_ONCE = 4
_LINKS = re.compile(r'"body_url":"([^"]+)"')


class Leak(AssertionError):
    """The wall has a hole."""


class Broken(Leak):
    """An answer of 500: a hole or not, no caller may be able to make one."""


@dataclass
class Tenant:
    """A tenant, the key that it comes with, and the agents that it has made."""

    name: str
    key: str
    door: Door
    agents: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    procedures: set[str] = field(default_factory=set)

    def send(self, ask: Ask) -> Answer:
        """Ask as this tenant, and remember what has to be removed at the end."""
        self.agents |= set(_agents(ask.body)) | set(_agent_in(ask.path))
        if ask.method == "PUT" and ask.path.startswith("/v1/procedures/"):
            self.procedures.add(ask.path)  # of all agents, for all that is known: no purge of an agent takes it
        answer = self.door.send(f"Bearer {self.key}", ask)
        if ask.method == "POST" and ask.path == "/v1/keys" and answer.status == 201:
            self.keys.add(str(answer.data["key_id"]))
        return answer

    def remove(self) -> None:
        """Take away all that was made in the tenant's name."""
        paths = [f"/v1/memory/{to_path(agent)}" for agent in self.agents] + [f"/v1/keys/{key}" for key in self.keys]
        paths += self.procedures
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda path: self.door.send(f"Bearer {self.key}", Ask("DELETE", path)), paths))
        self.agents.clear()
        self.keys.clear()
        self.procedures.clear()


class Arena:
    """The deployment under attack."""

    def __init__(self, attacker: Tenant, victim: Tenant) -> None:
        self.attacker = attacker
        self.victim = victim
        self.untold: set[str] = set()
        self.notes: list[str] = []
        self.own = plant(attacker.send, with_key=True, with_upload=True)
        self.shared = plant(victim.send, with_key=True, with_upload=True)
        self.untold |= self.shared.marks
        self.untouched = self.look(self.shared)

    def fresh(self, route: Route | None = None) -> Planted:
        """New records of the victim that the attacker has never said a word of: those that `route` can work on."""
        with_key = route is not None and "/keys" in route.template
        with_claim = route is not None and route.method == "PUT" and "/tools/" in route.template
        with_upload = route is not None and "upload_id" in route.body_ids
        planted = plant(self.victim.send, with_key=with_key, with_claim=with_claim, with_upload=with_upload)
        if route is not None and route.template.endswith("/restore"):
            self.victim.send(Ask("DELETE", f"/v1/facts/{planted.ids['fact_id']}"))
        self.untold |= planted.marks
        return planted

    def attack(self, ask: Ask, authorization: str | None = "own") -> Answer:
        """Ask as the attacker, or with another Authorization header.

        Raises:
            Leak: the answer holds what only the victim knows, or the deployment broke down over the request.
        """
        self.untold -= set(WORD.findall("\n".join([ask.words, *_plain(ask.path)])))
        own = authorization == "own"
        answer = self.attacker.send(ask) if own else self.attacker.door.send(authorization, ask)
        return self.heard(ask, answer)

    def heard(self, ask: Ask, answer: Answer) -> Answer:
        """Search an answer for what only the victim knows."""
        said = "\n".join([answer.text, *answer.headers.values(), *_behind_links(answer.text)])
        told = self.untold & set(WORD.findall(said))
        if told:
            raise Leak(f"{ask.method} {ask.target} tells {sorted(told)}: {answer.text[:500]}")
        if answer.status >= 500 and answer.status != 503:
            raise Broken(f"{ask.method} {ask.target} broke down: {answer.status} {answer.text[:500]}")
        return answer

    def look(self, planted: Planted) -> list[tuple[int, str]]:
        """What the victim sees of its records."""
        agent = to_path(planted.ids["agent_id"])
        paths = [
            f"/v1/memory/{agent}",
            f"/v1/state/{agent}/sessions",
            f"/v1/memory/semantic/{planted.ids['id']}/history",
            f"/v1/runs/{to_path(planted.ids['run_id'])}",
            f"/v1/facts/{planted.ids['fact_id']}/history",
        ]
        if "key_id" in planted.ids:
            paths.append("/v1/keys")
        own = (("agent_id", planted.ids["agent_id"]),)
        asks = [Ask("GET", path) for path in paths]
        asks.append(Ask("GET", f"/v1/procedures/{to_path(planted.ids['name'])}/versions", own))
        return [self._seen(ask, planted) for ask in asks]

    def _seen(self, ask: Ask, planted: Planted) -> tuple[int, str]:
        answer = self.victim.send(ask)
        if ask.path != "/v1/keys":
            return answer.essence()
        keys: list[Any] = answer.data["keys"]
        (mine,) = [key for key in keys if key["key_id"] == planted.ids["key_id"]]
        return answer.status, str({name: mine[name] for name in ("scopes", "label", "revoked_at") if name in mine})

    def unharmed(self, planted: Planted | None = None, before: list[tuple[int, str]] | None = None) -> None:
        """Let the victim look again: at what it shares with all attacks, or at what it had looked at before.

        Raises:
            Leak: something changed.
        """
        before = before or self.untouched
        after = self.look(planted or self.shared)
        if after != before:
            changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
            raise Leak(f"the victim's records changed: {str(changed)[:600]}")

    def note(self, text: str) -> None:
        """Keep a figure for the report."""
        self.notes.append(text)


def _behind_links(text: str) -> Iterator[str]:
    """What an answer leads to: large values, as whoever has the answer can read them."""
    for url in _LINKS.findall(text):
        yield httpx.get(json.loads(f'"{url}"'), timeout=60, trust_env=False).text


def _agents(body: Any) -> Iterator[str]:
    """Agents that a body names."""
    for each in body.get("items", [body]) if isinstance(body, dict) else []:
        agent = each.get("agent_id") if isinstance(each, dict) else None
        if isinstance(agent, str):
            yield agent


def _agent_in(path: str) -> Iterator[str]:
    """The agent that a path of working memory writes to."""
    parts = path.split("/")
    if parts[:3] == ["", "v1", "state"] and len(parts) > 3:
        yield from _plain(path)


def _plain(path: str) -> Iterator[str]:
    """Ids in a path, as they are meant."""
    for part in path.split("/")[3:]:
        try:
            yield from_path(part)
        except ValueError:
            continue
