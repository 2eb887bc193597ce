"""Facts of users that a warm function has read, each good only as long as the database says that its version stands."""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

from agent_memory.domain.context import UsersFacts

_KEPT = 256


class Holder(NamedTuple):
    """Whose facts they are, and who looks at them for what."""

    tenant_id: str
    user_id: str
    agent_id: str
    purpose: str | None


class FactBundles:
    """The bundles of the users served last. Nothing in here decides whether one may be used: see `ContextQuery`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Holder, UsersFacts] = OrderedDict()

    def get(self, holder: Holder, at: datetime) -> UsersFacts | None:
        """A bundle that says what held at a time, unless a fact was written since."""
        kept = self._kept.get(holder)
        if kept is None or at < kept.since or (kept.until is not None and at >= kept.until):
            return None
        self._kept.move_to_end(holder)
        return kept

    def keep(self, holder: Holder, facts: UsersFacts) -> None:
        """Keep what was just read."""
        self._kept.pop(holder, None)
        self._kept[holder] = facts
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
