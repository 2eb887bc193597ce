"""What clients know: every write that they made, and which of them were acknowledged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from agent_memory.domain.identifiers import to_path
from agent_memory.domain.times import parse_time


class Agent(NamedTuple):
    """Whose timeline it is."""

    tenant_id: str
    agent_id: str

    @property
    def in_path(self) -> str:
        """Its id as it stands in paths."""
        return to_path(self.agent_id)


class Place(NamedTuple):
    """Where a state stands."""

    agent: Agent
    session_id: str


@dataclass
class Write:
    """One write. `began` and `ended` are steps of the run; `ended` is None while nobody acknowledged it.

    `made` is how many records there may be of it: with an idempotency key one, else one for each attempt.
    """

    marker: str
    agent: Agent
    content: Any
    began: int
    made: int = 0
    ended: int | None = None
    answer: dict[str, Any] | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether somebody was told that it is written."""
        return self.answer is not None

    def is_live(self, at: datetime) -> bool:
        """Whether it has not expired, as far as the client was told."""
        expires_at = self.answer and self.answer["expires_at"]
        return not expires_at or parse_time(expires_at) > at


@dataclass
class StateWrite:
    """One write of a state; `data` is None for a delete. With `until`, it expires then."""

    data: dict[str, Any] | None
    began: int
    until: datetime | None = None
    ended: int | None = None
    is_acknowledged: bool = False

    def left(self, at: datetime) -> dict[str, Any] | None:
        """What a reader finds if this was the last write."""
        return None if self.until is not None and self.until <= at else self.data


@dataclass
class Purge:
    """One purge of an agent, told of as done at step `ended`."""

    began: int
    ended: int | None = None


@dataclass
class Journal:
    """The log of all clients of a run."""

    episodes: list[Write] = field(default_factory=list)
    states: dict[Place, list[StateWrite]] = field(default_factory=dict)
    purges: dict[Agent, list[Purge]] = field(default_factory=dict)
    writes: int = 0
    acknowledged: int = 0
    _steps: Iterator[int] = field(default_factory=count)

    def step(self) -> int:
        """A step later than every other one."""
        return next(self._steps)

    def of(self, agent: Agent) -> list[Write]:
        """All episodes that were written for an agent."""
        return [write for write in self.episodes if write.agent == agent]

    def must_be_there(self, write: Write) -> bool:
        """Whether it was acknowledged, and no purge of its agent can have met it."""
        if not write.is_acknowledged:
            return False
        return all(purge.ended is not None and purge.ended < write.began for purge in self._purges(write.agent))

    def must_be_gone(self, write: Write, before: int) -> bool:
        """Whether a purge that began after its last attempt was done by step `before`: a walk under way may have it."""
        ended = write.ended
        return ended is not None and any(
            purge.ended is not None and ended < purge.began and purge.ended < before
            for purge in self._purges(write.agent)
        )

    def may_stand(self, place: Place, at: datetime) -> list[dict[str, Any] | None]:
        """What a reader may find of a state: whatever no acknowledged write came after."""
        writes = [StateWrite(None, -2, ended=-1), *self.states.get(place, [])]
        last = max((write.began for write in writes if write.is_acknowledged), default=-2)
        return [write.left(at) for write in writes if write.ended is None or write.ended >= last]

    def _purges(self, agent: Agent) -> list[Purge]:
        return self.purges.get(agent, [])
