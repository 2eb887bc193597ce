"""Ports that stop at a chosen point: before their n-th call, or after it, when its answer is lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent_memory.domain.archive import Key
from agent_memory.domain.episode import Episode
from agent_memory.domain.ports import AgentStore
from agent_memory.domain.purge import Removed
from tests.contract.cold import Cold


class Killed(BaseException):
    """What a function sees of its own end: nothing, so nothing may catch it."""


class Points:
    """Counts the points between calls; at the chosen one something happens."""

    def __init__(self, chosen: int, happens: Callable[[], object]) -> None:
        self._chosen = chosen
        self._happens = happens
        self.passed = 0

    def reach(self) -> None:
        self.passed += 1
        if self.passed == self._chosen:
            self._happens()

    @property
    def is_over(self) -> bool:
        """Whether the chosen point was never reached."""
        return self.passed < self._chosen


class _Port:
    def __init__(self, port: object, points: Points) -> None:
        self._port = port
        self._points = points

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*given: Any, **named: Any) -> Any:
            self._points.reach()
            answer = method(*given, **named)
            self._points.reach()
            return answer

        return call


def interrupted(cold: Cold, points: Points) -> Cold:
    """The same stores, seen by a function to which that happens."""
    index, objects, hot = (_Port(port, points) for port in (cold.index, cold.objects, cold.hot))
    return replace(cold, index=index, objects=objects, hot=hot)


class Leg:
    """A store that a purge empties, with a point before and after each part."""

    def __init__(self, store: AgentStore, points: Points) -> None:
        self._store = store
        self._points = points

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        self._points.reach()
        for part in self._store.purge(tenant_id, agent_id):
            yield part
            self._points.reach()


class Recalled:
    """An index and a hot tier as somebody read them once; what they are told reaches the real ones."""

    def __init__(self, cold: Cold, tenant_id: str, agent_id: str, keys: Sequence[Key]) -> None:
        self._index = cold.index
        self._epoch = cold.index.epoch(tenant_id, agent_id)
        self._read = cold.hot.read(tenant_id, agent_id, keys)
        self._hot = cold.hot

    def epoch(self, *_: str) -> int:
        return self._epoch

    def read(self, *_: object) -> Sequence[tuple[Key, Episode]]:
        return self._read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hot if name == "evict" else self._index, name)


def die() -> None:
    raise Killed
