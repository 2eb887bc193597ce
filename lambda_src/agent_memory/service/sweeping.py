"""The sweep: its steps one after another, as far as time goes, and on from there the next time."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from agent_memory.domain.sweep import Part, Progress, Step, Sweep, SweepStore


class SweepStep(Protocol):
    """One step of the sweep."""

    def advance(self, after: str | None, part: Part) -> Progress:
        """Do some of it, from a place on that it told of before; doing it again does no harm.

        Raises:
            StoreUnavailable: some of it may have been done.
        """


class Sweeping:
    """Sweeps once a day, or when it is told to."""

    def __init__(self, store: SweepStore, steps: Mapping[Step, SweepStep], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._steps = steps
        self._clock = clock

    def run(
        self, may_go_on: Callable[[], bool], tell: Callable[[Step, Sweep], None], *, is_wanted: bool
    ) -> Sweep | None:
        """Go on with a sweep that is not over, or begin one that is due or wanted; None when there is nothing to do.

        `tell` hears of each step that is over. Two sweeps at once do no harm; the one that is behind ends.

        Raises:
            StoreUnavailable: the place is kept.
        """
        sweep, revision = self._store.last()
        now = self._clock()
        if sweep is None or sweep.is_due_again(now) or (is_wanted and sweep.step is None):
            sweep = Sweep(now)
        elif sweep.step is None:
            return None
        while (step := sweep.step) and may_go_on():
            part = Part(may_go_on)
            progress = self._steps[step].advance(sweep.after, part)
            sweep = sweep.further(progress, part.counts)
            if not self._store.keep(sweep, revision):
                return sweep
            revision += 1
            if progress.is_over:
                tell(step, sweep)
        return sweep
