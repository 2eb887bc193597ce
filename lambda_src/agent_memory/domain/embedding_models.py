"""Which model is searched and which ones are written: a plan for the whole deployment, changed step by step.

    settled --start--> writing --cutover--> serving --finish--> leaving --(all removed)--> settled
                          |  ^                 |                   ^
                          |  +------back-------+                   |
                          +-------------------abandon--------------+

A function knows a plan for at most KNOWN_S, and looks again when it has vectors, however long the model took. So
SETTLED_S after a change nobody works by the plan before it any more, and each step waits for that before it relies on
the one before (docs/adr/0024).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from agent_memory.errors import Conflict

KNOWN_S = 30.0
# And as long as the longest call of the database, which a function may have begun at the last moment.
SETTLED_S = KNOWN_S + 60.0

Stage = Literal["settled", "writing", "serving", "leaving"]


class Space(NamedTuple):
    """What names the vectors that may be compared."""

    model: str
    dimensions: int

    def __str__(self) -> str:
        return f"{self.model}/{self.dimensions}"


def read_space(text: str) -> Space:
    """A space by its name."""
    model, _, dimensions = text.rpartition("/")
    return Space(model, int(dimensions))


@dataclass(frozen=True, slots=True)
class Plan:
    """`served` is searched. `other` is the one that is being made ready, or the one that is about to go."""

    served: Space
    stage: Stage = "settled"
    other: Space | None = None
    changed_at: datetime | None = None

    @property
    def written(self) -> tuple[Space, ...]:
        """What is stored gets vectors of these, first the one that is searched."""
        both = self.stage in ("writing", "serving") and self.other is not None
        return (self.served, self.other) if both and self.other else (self.served,)

    def settles_in(self, now: datetime) -> float:
        """Seconds until nobody works by the plan before this one any more."""
        if self.changed_at is None:
            return 0.0
        return max(0.0, (self.changed_at + timedelta(seconds=SETTLED_S) - now).total_seconds())

    def started(self, other: Space, now: datetime) -> "Plan":
        """From now on both are written."""
        self._check("start", "settled")
        if other == self.served:
            raise Conflict("that model is the one that is searched already")
        return replace(self, stage="writing", other=other, changed_at=now)

    def cut_over(self, now: datetime) -> "Plan":
        """From now on the other one is searched; both are still written, so that there is a way back."""
        self._check("cutover", "writing")
        return self._swapped("serving", now)

    def back(self, now: datetime) -> "Plan":
        """As before the cutover."""
        self._check("back", "serving")
        return self._swapped("writing", now)

    def left(self, now: datetime) -> "Plan":
        """From now on the model that is not searched is not written either, and its vectors may go."""
        self._check("finish or abandon", "writing", "serving")
        return replace(self, stage="leaving", changed_at=now)

    def settled(self, now: datetime) -> "Plan":
        """Nothing is left of the other one."""
        self._check("finish or abandon", "leaving")
        return Plan(self.served, changed_at=now)

    def _swapped(self, stage: Stage, now: datetime) -> "Plan":
        assert self.other  # noqa: S101 - the stages before and after a cutover have both
        return Plan(self.other, stage, self.served, now)

    def _check(self, step: str, *stages: Stage) -> None:
        if self.stage not in stages:
            raise Conflict(f"{step} is no step from here: the models are {self.stage}")


class PlanStore(Protocol):
    """Where the plan stands; both methods raise StoreUnavailable when the store does not answer."""

    def get(self) -> Plan | None:
        """The plan, every earlier change seen; None as long as there was none."""

    def put(self, plan: Plan, before: Plan | None) -> bool:
        """Replace `before` by a plan; False when something else stands there. Repeating it changes nothing."""
