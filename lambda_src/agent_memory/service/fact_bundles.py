"""Facts of users that a warm function has read, each good only as long as the database says that its version stands."""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

from agent_memory.domain.context import UsersFacts
from agent_memory.domain.json_document import memory_of

_KEPT = 256
# A bundle has up to 375 KB as JSON and several times that in memory, of which a function has 512 MiB.
_KEPT_BYTES = 32 * 1024 * 1024


class Holder(NamedTuple):
    """Whose facts they are, and who looks at them for what."""

    tenant_id: str
    user_id: str
    agent_id: str
    purpose: str | None


class FactBundles:
    """The bundles of the users served last. Nothing in here decides whether one may be used: see `ContextQuery`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Holder, tuple[UsersFacts, int]] = OrderedDict()
        self._bytes = 0

    def get(self, holder: Holder, at: datetime) -> UsersFacts | None:
        """A bundle that says what held at a time, unless a fact was written since."""
        kept, _ = self._kept.get(holder, (None, 0))
        if kept is None or at < kept.since or (kept.until is not None and at >= kept.until):
            return None
        self._kept.move_to_end(holder)
        return kept

    def keep(self, holder: Holder, facts: UsersFacts) -> None:
        """Keep what was just read, and let those go that were asked for the longest time ago."""
        _, before = self._kept.pop(holder, (None, 0))
        size = sum(map(memory_of, facts.facts))
        self._kept[holder] = facts, size
        self._bytes += size - before
        while len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone
