"""From one layout of the vectors to the other: index by index, resumable, while everybody reads and writes."""

from collections.abc import Sequence
from contextlib import suppress

from agent_memory.domain.vector_layout import Layout, Step, VectorIndexes
from agent_memory.errors import StoreUnavailable
from agent_memory.service.migrate import Patience

_POLL_S = 5


class _NotYet(StoreUnavailable):
    """A step takes its time."""

    def __init__(self) -> None:
        super().__init__("an index is being built", retry_after_s=_POLL_S)


class SwitchLayout:
    """Builds the indexes of a layout beside those in force, and then takes its place.

    It can be killed anywhere and run again; searches are answered by what is in force. What the time of one run is too
    short for is left to the next.
    """

    def __init__(self, indexes: VectorIndexes, patience: Patience) -> None:
        self._indexes = indexes
        self._patience = patience

    def run(self, layout: Layout) -> int:
        """Bring the layout into force, as far as time allows; how many steps are left."""
        try:
            steps = self._patience.until_done(lambda: self._indexes.begin(layout))
            return self._take(layout, steps) if steps is not None else 0
        finally:
            with suppress(StoreUnavailable):  # the next run gives the rights back, if this one is killed before
                self._indexes.end()

    def _take(self, layout: Layout, steps: Sequence[Step]) -> int:
        left = len(steps) + 1
        try:
            for step in steps:
                self._patience.until_done(lambda step=step: self._advance(layout, step))  # type: ignore[misc]
                left -= 1
            self._patience.until_done(lambda: self._switch(layout))
        except StoreUnavailable:
            return left
        return 0

    def _advance(self, layout: Layout, step: Step) -> None:
        found = self._indexes.progress(layout, step)
        if found == "valid":
            return
        if found == "absent":
            self._indexes.build(step)
            if self._indexes.progress(layout, step) == "valid":
                return
        raise _NotYet

    def _switch(self, layout: Layout) -> None:
        if not self._indexes.switch(layout):
            raise _NotYet
