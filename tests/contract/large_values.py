"""States and episodes with large values, as use cases see them."""

import hashlib
from dataclasses import dataclass
from typing import Any

from agent_memory.domain.episode import Episode, NewEpisode
from agent_memory.domain.idempotency import Attempt, begin
from agent_memory.domain.state import NewState, State, StateKey, StatePatch, StateReplacement
from tests.contract.conftest import Stores
from tests.contract.walks import Walk
from tests.fakes.clock import Clock

KEY = b"key"
FRAME = len('{"x":""}')


@dataclass
class Scene:
    stores: Stores
    tenant: str
    clock: Clock

    def create(self, data: Any, session: str = "s", attempt: Attempt | None = None, **fields: Any) -> State:
        new = NewState(agent_id="planner", session_id=session, data=data, **fields)
        return self.stores.working(self.clock).create(self.tenant, new, attempt or Attempt(), KEY)

    def replace(self, data: Any, version: int, attempt: Attempt | None = None, **fields: Any) -> State:
        new = StateReplacement(session_id="s", data=data, version=version, **fields)
        return self.stores.working(self.clock).replace(self.tenant, "planner", new, attempt or Attempt(), KEY)

    def patch(self, data: Any, attempt: Attempt | None = None) -> State:
        patch = StatePatch(session_id="s", data=data)
        return self.stores.working(self.clock).patch(self.tenant, "planner", patch, attempt or Attempt())

    def get(self, session: str = "s") -> State:
        return self.stores.working(self.clock).get(StateKey(self.tenant, "planner", session))

    def append(self, content: Any, attempt: Attempt | None = None) -> Episode:
        new = NewEpisode(agent_id="planner", session_id="s", type="action", content=content)
        return self.stores.episodic(self.clock).append(self.tenant, new, attempt or Attempt(), KEY)

    def pages(self) -> list[Any]:
        return [each for page in Walk(self.stores, self.tenant, self.clock).each_page() for each in page.episodes]

    def attempt(self, key: str = "k") -> Attempt:
        return Attempt(begin(self.tenant, "route", key, b"", self.clock()))

    def behind(self, response: Any) -> bytes:
        """What the link of an answer serves, looked at as a client would."""
        content = self.stores.bodies.behind(response["body_url"])
        assert (response["sha256"], response["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        return content

    @property
    def bodies(self) -> dict[str, dict[str, bytes]]:
        return self.stores.bodies.objects
