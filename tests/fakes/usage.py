"""Counters, marks, and the stores that a purge empties, in memory."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from agent_memory.domain.claims import Claim, claimed
from agent_memory.domain.ports import AgentStore
from agent_memory.domain.purge import Removed
from agent_memory.errors import StoreUnavailable


class InMemoryUsageStore:
    """`UsageStore` that counts its calls; `is_away` makes it fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, Counter[str]] = {}
        self.is_away = False
        self.calls = 0

    def add(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        self.calls += 1
        if self.is_away:
            raise StoreUnavailable("away")
        with self._lock:
            self._counters.setdefault(tenant_id, Counter()).update(counts)

    def claim(self, tenant_id: str, claim: Claim) -> Mapping[str, int]:
        self.calls += 1
        if self.is_away:
            raise StoreUnavailable("away")
        with self._lock:
            after = claimed(self._counters.get(tenant_id, {}), claim)
            self._counters[tenant_id] = Counter(after)
            return after

    def get(self, tenant_id: str) -> Mapping[str, int]:
        return self._counters.get(tenant_id, Counter())


class InMemoryLimitStore:
    """`LimitStore`."""

    def __init__(self) -> None:
        self._own: dict[str, dict[str, int | None]] = {}

    def get(self, tenant_id: str) -> Mapping[str, int | None]:
        return self._own.get(tenant_id, {})

    def change(self, tenant_id: str, own: Mapping[str, int | None], dropped: Collection[str]) -> None:
        kept = {name: limit for name, limit in self.get(tenant_id).items() if name not in dropped}
        self._own[tenant_id] = {**kept, **own}


class InMemoryAgentRegistry:
    """`AgentRegistry`, and the `AgentStore` of what it holds; `is_away` makes it fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.marks: dict[tuple[str, str, str | None], None] = {}
        self.is_away = False
        self.calls = 0

    def mark(self, tenant_id: str, agent_id: str, session_id: str | None) -> bool:
        self.calls += 1
        if self.is_away:
            raise StoreUnavailable("away")
        with self._lock:
            is_new = (tenant_id, agent_id, session_id) not in self.marks
            self.marks[tenant_id, agent_id, session_id] = None
            return is_new

    def agents(self, tenant_id: str, limit: int) -> list[str]:
        return sorted(agent for tenant, agent, session in self.marks if tenant == tenant_id and session is None)[:limit]

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for mark in [mark for mark in self.marks if mark[:2] == (tenant_id, agent_id)]:
            del self.marks[mark]
            yield Removed({"agents" if mark[2] is None else "sessions": 1})


class Together:
    """`AgentStore` of several."""

    def __init__(self, *stores: AgentStore) -> None:
        self._stores: Sequence[AgentStore] = stores

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for store in self._stores:
            yield from store.purge(tenant_id, agent_id)
