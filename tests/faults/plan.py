"""What goes wrong, and where: faults wait at their points until a worker comes by."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Effect = Literal["kill", "lose", "error 500", "error 503", "throttle", "corrupt", "delay", "meanwhile"]
When = Literal["before", "after"]
ANYWHERE = "anywhere"


@dataclass
class Fault:
    """One thing that goes wrong once.

    `point` is `<role>.<name>`, or `<role>.anywhere`; the fault lets `skip` requests of the point pass. `before`: the
    request is not passed on; `after`: it took effect, and the answer is lost.
    """

    point: str
    when: When
    effect: Effect
    skip: int = 0
    patient: bool = False  # waits for the whole run

    @property
    def covered(self) -> str:
        """What coverage counts it by."""
        return f"{self.effect} {self.point} {self.when}"


@dataclass
class Faults:
    """Those that wait, and those that have met somebody."""

    waiting: list[Fault] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    is_on: bool = True

    def meet(self, role: str, name: str) -> Fault | None:
        """The fault that a request of this name meets."""
        self.seen[f"{role}.{name}"] += 1
        if not self.is_on:
            return None
        for fault in self.waiting:
            if fault.point in {f"{role}.{name}", f"{role}.{ANYWHERE}"}:
                fault.skip -= 1
                if fault.skip < 0:
                    self.waiting.remove(fault)
                    self.met[fault.covered] += 1
                    return fault
        return None
