"""What goes wrong for one agent keeps nobody else's episodes from being looked after."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent_memory.domain.sweep import Part
from agent_memory.errors import StoreUnavailable

_MOST = 3


class Failures:
    """Counts and tells of failures, and goes on; but when a store failed time after time, it is not the agent."""

    def __init__(self, report: Callable[[Exception], None]) -> None:
        self._report = report
        self._in_a_row = 0

    @contextmanager
    def spared(self, part: Part) -> Iterator[None]:
        """Work for one agent.

        Raises:
            StoreUnavailable: the store seems to be away.
        """
        try:
            yield
        except Exception as exc:  # a poisoned record raises anything
            part.counts["failed"] += 1
            self._in_a_row += 1
            self._report(exc)
            if isinstance(exc, StoreUnavailable) and self._in_a_row >= _MOST:
                self._in_a_row = 0
                raise
        else:
            self._in_a_row = 0
