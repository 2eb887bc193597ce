"""Walks over an agent's episodes, as a caller makes them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_memory.domain.episode import Episode, NewEpisode
from agent_memory.domain.json_document import parse
from agent_memory.domain.timeline import EpisodeQuery
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock


def an_episode(tenant: str, now: datetime, **fields: Any) -> Episode:
    """An episode of the agent `planner` in session `s`, unless told otherwise."""
    given = {"agent_id": "planner", "session_id": "s", "type": "action", "content": None} | fields
    return Episode.from_request(tenant, NewEpisode(**given), now)


@dataclass
class WalkedPage:
    items: list[str]
    next_cursor: str | None
    partial: bool

    @property
    def episodes(self) -> list[Any]:
        return [parse(item) for item in self.items]

    @property
    def ids(self) -> list[str]:
        return [json.loads(item)["id"] for item in self.items]


@dataclass
class Walk:
    """One caller's view of its tenant."""

    stores: Stores
    tenant: str
    clock: Clock

    def page(self, agent: str = "planner", **query: Any) -> WalkedPage:
        key = hashlib.sha256(self.tenant.encode()).digest()
        page, next_cursor = self.stores.episodic(self.clock).query(self.tenant, agent, EpisodeQuery(**query), key)
        return WalkedPage([str(item) for item in page.items], next_cursor, page.partial)

    def each_page(self, agent: str = "planner", **query: Any) -> Iterator[WalkedPage]:
        cursor = None
        while True:
            page = self.page(agent, cursor=cursor, **query)
            yield page
            if (cursor := page.next_cursor) is None:
                return

    def pages(self, agent: str = "planner", **query: Any) -> list[WalkedPage]:
        return list(self.each_page(agent, **query))

    def ids(self, agent: str = "planner", **query: Any) -> list[str]:
        return [each for page in self.each_page(agent, **query) for each in page.ids]
