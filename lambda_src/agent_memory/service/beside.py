"""Work beside the request's own thread, for which the request waits no longer than it has time."""

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

from agent_memory.errors import StoreUnavailable

T = TypeVar("T")


class Beside(Generic[T]):
    """Begins at once, for the tenant of the request. What is not waited for comes to its end by its own time-outs.

    The work must not tell the tally anything: by then that may be another request's.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done = threading.Event()
        self._value: T | None = None
        self._failure: BaseException | None = None
        self.took_s: float | None = None
        threading.Thread(target=copy_context().run, args=(self._run,), daemon=True).start()

    def result(self, deadline: float) -> T:
        """What came of it; whatever it raised is raised here.

        Raises:
            StoreUnavailable: it has not ended by `deadline`, a time of time.monotonic().
        """
        if not self._done.wait(max(0.0, deadline - time.monotonic())):
            raise StoreUnavailable("a store did not answer in time")
        if self._failure is not None:
            raise self._failure
        return self._value  # type: ignore[return-value] # it ended without a failure

    def _run(self) -> None:
        started = time.monotonic()
        try:
            self._value = self._work()
        except BaseException as failure:  # noqa: BLE001 - whoever waits hears of it
            self._failure = failure
        self.took_s = time.monotonic() - started
        self._done.set()
