"""Marks: which agents and sessions a tenant has stored anything for, noted by those who store."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from agent_memory.domain.ports import AgentRegistry

Mark = tuple[str, str, str | None]

# A purge takes marks away; for this long a warm function may take one to be there still.
_TRUSTED_FOR = timedelta(minutes=5)
_MOST = 5000
# What a batch adds to the time of its request; the rest is for the requests that follow.
_AT_ONCE = 25


class Marks:
    """Makes each mark once in five minutes; those that could not be made are tried again."""

    def __init__(self, registry: AgentRegistry) -> None:
        self._registry = registry
        self._made: dict[Mark, datetime] = {}
        self._due: dict[Mark, None] = {}

    def note(self, tenant_id: str, touched: Iterable[tuple[str, str | None]], now: datetime) -> None:
        """Something was stored for these agents, in these sessions."""
        for agent_id, session_id in touched:
            # The agent first: a search over all agents has to find it, whatever becomes of the rest.
            for mark in ((tenant_id, agent_id, None), (tenant_id, agent_id, session_id)):
                made = self._made.get(mark)
                if made is None or now - made > _TRUSTED_FOR:
                    self._due[mark] = None
        _drop_oldest(self._due)

    def make(self, now: datetime, deadline: float) -> Iterator[tuple[str, str]]:
        """Make what is due, some at a time and until `deadline`; yield (tenant, its counter) for each new one."""
        for mark in list(self._due)[:_AT_ONCE]:
            if time.monotonic() > deadline:
                return
            tenant_id, agent_id, session_id = mark
            is_new = self._registry.mark(tenant_id, agent_id, session_id)
            del self._due[mark]
            self._made.pop(mark, None)  # to stand among the newest
            self._made[mark] = now
            if is_new:
                yield tenant_id, "agents" if session_id is None else "sessions"
        _drop_oldest(self._made)


def _drop_oldest(marks: dict[Mark, Any]) -> None:
    while len(marks) > _MOST:
        del marks[next(iter(marks))]
