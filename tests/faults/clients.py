"""Clients of the API: they write at random, send again what was not acknowledged, and keep a journal."""

import base64
import hashlib
import http.client
import random
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent_memory.domain.json_document import dumps
from agent_memory.domain.times import format_time
from tests.edge import Edge, Reply, functions
from tests.faults.clock import SharedClock
from tests.faults.journal import Agent, Journal, Place, Purge, StateWrite, Write
from tests.faults.workers import WorkerDied

Asks = Callable[[str, dict[str, Any]], Any]
AGENTS = tuple(Agent(tenant, agent) for tenant in ("acme", "globex") for agent in ("planner", "réviseur", "ops"))
SESSIONS = ("s1", "s2", "short")
TYPES = ("conversation", "action", "observation", "tool_call")
_ATTEMPTS = 4


class Bug(AssertionError):
    """An answer that no fault explains."""


@dataclass
class Remote(Edge):
    """The API as one tenant, served by workers."""

    scopes: str = "read write erase"
    asks: Asks = field(default=lambda *_: None)

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let the function of the route answer."""
        answer: dict[str, Any] = self.asks(functions()[event["routeKey"]], event)
        return answer


@dataclass
class Clients:
    """All clients of a run; `heavy` is the share of episodes that are some kilobytes long."""

    rng: random.Random
    journal: Journal
    clock: SharedClock
    asks: Asks
    heavy: float

    def edge(self, agent: Agent) -> Remote:
        """The API as the agent's tenant."""
        return Remote(agent.tenant_id, asks=self.asks)

    def write_one(self) -> None:
        """POST an episode."""
        agent = self.rng.choice(AGENTS)
        body, write = self._episode(agent)
        key = self._key()
        reply = self._until_told(agent, "POST", "/v1/memory/episodic", body, key, [write])
        if reply is not None:
            self._told(write, reply.data)
        write.ended = self.journal.step()

    def write_many(self) -> None:
        """POST a batch of them."""
        agent = self.rng.choice(AGENTS)
        pairs = [self._episode(agent) for _ in range(self.rng.randint(2, 12))]
        writes = [write for _, write in pairs]
        body = {"items": [item for item, _ in pairs]}
        reply = self._until_told(agent, "POST", "/v1/memory/episodic/batch", body, self._key(), writes)
        for write, result in zip(writes, reply.data["results"] if reply else [], strict=False):
            if result["status"] == 201:
                self._told(write, result["data"])
            elif result["status"] != 503:
                raise Bug(f"an item of a batch: {result}")
        for write in writes:
            write.ended = self.journal.step()

    def write_state(self, *, large: bool = False) -> None:
        """POST a state, over another one or not; or DELETE it."""
        place = Place(self.rng.choice(AGENTS), self.rng.choice(SESSIONS))
        is_delete = not large and self.rng.random() < 0.15
        data = None if is_delete else {"w": self._marker(), "text": self._large() if large else self._text()}
        hours = self.rng.randint(1, 72) if place.session_id == "short" else None
        write = StateWrite(data, self.journal.step())
        self.journal.states.setdefault(place, []).append(write)
        self.journal.writes += 1
        agent_id = place.agent.agent_id
        if is_delete:
            path = f"/v1/state/{place.agent.in_path}/{place.session_id}"
            reply = self._until_told(place.agent, "DELETE", path, None, self._key(), [])
        else:
            body: dict[str, Any] = {"agent_id": agent_id, "session_id": place.session_id, "data": data}
            body |= {"ttl_hours": hours} if hours else {}
            reply = self._until_told(place.agent, "POST", "/v1/state", body, self._key(), [])
        write.is_acknowledged = reply is not None
        self.journal.acknowledged += write.is_acknowledged
        write.until = self.clock() + timedelta(hours=hours) if hours else None
        write.ended = self.journal.step()

    def write_large(self) -> None:
        """POST an episode that does not fit into an item, or such a state."""
        if self.rng.random() < 0.6:
            self.write_state(large=True)
            return
        agent = self.rng.choice(AGENTS)
        body, write = self._episode(agent, content={"w": self._marker(), "text": self._large()})
        reply = self._until_told(agent, "POST", "/v1/memory/episodic", body, self._key(), [write])
        if reply is not None:
            self._told(write, reply.data)
        write.ended = self.journal.step()

    def write_uploaded(self) -> None:
        """Upload a value, then POST an episode of it."""
        agent = self.rng.choice(AGENTS)
        content = {"w": self._marker(), "text": self._large()}
        raw = dumps(content).encode()
        asked = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        announced = self._until_told(agent, "POST", "/v1/uploads", asked, None, [])
        if announced is None or not _put(announced.data["url"], raw):
            return
        body, write = self._episode(agent, content)
        del body["content"]
        body["upload_id"] = announced.data["upload_id"]
        reply = self._until_told(agent, "POST", "/v1/memory/episodic", body, f"key-{write.marker}", [write])
        if reply is not None:
            self._told(write, reply.data)
        write.ended = self.journal.step()

    def purge(self, agent: Agent) -> bool:
        """DELETE all that is known of an agent; whether that was acknowledged."""
        purge = Purge(self.journal.step())
        self.journal.purges.setdefault(agent, []).append(purge)
        gone = {place: StateWrite(None, purge.began) for place in self.journal.states if place.agent == agent}
        for place, write in gone.items():
            self.journal.states[place].append(write)
        reply = self._until_told(agent, "DELETE", f"/v1/memory/{agent.in_path}", None, None, [])
        ended = self.journal.step()
        for write in gone.values():
            write.ended, write.is_acknowledged = ended, reply is not None
        if reply is not None:
            purge.ended = ended
        return reply is not None

    def _told(self, write: Write, answer: dict[str, Any]) -> None:
        write.answer = answer
        self.journal.acknowledged += 1

    def _until_told(
        self, agent: Agent, method: str, path: str, body: Any, key: str | None, writes: list[Write]
    ) -> Reply | None:
        """Send until somebody answers, or until the client is tired of it."""
        for attempt in range(1, _ATTEMPTS + 1):
            for write in writes:
                write.made = 1 if key else attempt
            try:
                reply = self.edge(agent).call(method, path, body, key=key)
            except WorkerDied:
                reply = None
            if reply is not None and reply.status < 400:
                return reply
            if reply is not None and reply.status == 404 and method == "DELETE":
                return reply
            if reply is not None and reply.status not in {409, 503}:
                raise Bug(f"{method} {path}: {reply.status} {reply.text}")
            if key is None and self.rng.random() < 0.5:
                return None  # not everybody tries again
        return None

    def _episode(self, agent: Agent, content: Any = None) -> tuple[dict[str, Any], Write]:
        marker = self._marker()
        content = content or {"w": marker, "text": self._text()}
        body: dict[str, Any] = {
            "agent_id": agent.agent_id,
            "session_id": self.rng.choice(SESSIONS),
            "type": self.rng.choice(TYPES),
            "content": content,
            "metadata": {"w": marker},
        }
        if self.rng.random() < 0.1:
            body["timestamp"] = format_time(self.clock() - timedelta(hours=self.rng.uniform(0, 24 * 40)))
        if self.rng.random() < 0.1:
            body["ttl_hours"] = self.rng.choice([1, 20, 100, 300, 1000])
        if self.rng.random() < 0.3:
            body["run_id"] = f"run-{self.rng.randrange(4)}"
        write = Write(marker, agent, content, self.journal.step())
        self.journal.episodes.append(write)
        self.journal.writes += 1
        return body, write

    def _marker(self) -> str:
        return f"w{self.journal.step()}"

    def _key(self) -> str | None:
        return f"key-{self.journal.step()}" if self.rng.random() < 0.5 else None

    def _text(self) -> str:
        size = self.rng.randint(3_000, 9_000) if self.rng.random() < self.heavy else self.rng.randint(5, 300)
        return base64.b64encode(self.rng.randbytes(size)).decode()

    def _large(self) -> str:
        return base64.b64encode(self.rng.randbytes(self.rng.choice([420_000, 600_000, 900_000]))).decode()


def _put(url: str, content: bytes) -> bool:
    """Upload; False when the bucket is in trouble each time."""
    for _ in range(_ATTEMPTS):
        request = urllib.request.Request(url, content, method="PUT")  # noqa: S310 - the stand-in's address
        with suppress(OSError, http.client.HTTPException), urllib.request.urlopen(request, timeout=30):  # noqa: S310
            return True
    return False
