"""Usage: what each request did is added up here and passed on to the counters."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from agent_memory.domain.ports import UsageStore
from agent_memory.domain.usage import Tally, UsageResponse, usage_response
from agent_memory.service.marks import Marks

# A fresh or rested function passes on twenty requests one by one. Under load it saves up for each call to the
# store: at ten requests a second and more, one call carries what at least ten requests did.
_MOST_CREDIT = 20.0
_CREDIT_PER_REQUEST = 0.05
_CREDIT_PER_SECOND = 0.5
# After the store failed it is left alone for so long; nothing is forgotten meanwhile.
_REST = timedelta(seconds=10)
# A slow store holds no request up for longer, one last call apart.
_SECONDS = 1.0


class Meter:
    """Counts for every tenant that a warm function serves.

    With credit a request is counted before it is answered. Without, its counts wait for later requests: those of
    about twenty requests of each tenant, which are lost with the function when no other request comes.
    """

    def __init__(self, store: UsageStore, marks: Marks, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._marks = marks
        self._clock = clock
        self._waiting: dict[str, Counter[str]] = {}
        self._credit = _MOST_CREDIT
        self._earned_at = clock()
        self._failed_at: datetime | None = None

    def settle(self, tenant_id: str, tally: Tally) -> None:
        """Count one request and what it did.

        Raises:
            StoreUnavailable: and whatever else the store raises; what was not passed on waits for another request.
        """
        now, deadline = self._clock(), time.monotonic() + _SECONDS
        self._wait(tenant_id, tally.counts(now))
        self._marks.note(tenant_id, tally.touched, now)
        self._earn(now)
        if self._failed_at and timedelta(0) <= now - self._failed_at < _REST:
            return
        try:
            for marked_for, counter in self._marks.make(now, deadline):
                self._wait(marked_for, {counter: 1})
            while self._waiting and self._credit >= 1 and time.monotonic() < deadline:
                self._pass_on()
        except Exception:  # whatever it was, a bug too: without a rest each request would meet it again
            self._failed_at = now
            raise

    def _wait(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        # update, for + would drop what is below zero.
        self._waiting.setdefault(tenant_id, Counter()).update(counts)

    def _earn(self, now: datetime) -> None:
        # By the wall clock: others may stand still while a function is frozen.
        rested = max(0.0, (now - self._earned_at).total_seconds())
        self._credit = min(_MOST_CREDIT, self._credit + _CREDIT_PER_REQUEST + _CREDIT_PER_SECOND * rested)
        self._earned_at = now

    def _pass_on(self) -> None:
        """Serve the tenant that has waited longest; when that fails it goes to the end of the line."""
        tenant_id = next(iter(self._waiting))
        counts = self._waiting[tenant_id] = self._waiting.pop(tenant_id)
        self._store.add(tenant_id, counts)
        del self._waiting[tenant_id]
        self._credit -= 1


class Usage:
    """GET /v1/usage."""

    def __init__(self, store: UsageStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def of(self, tenant_id: str) -> UsageResponse:
        """What has been counted for the tenant; the request that asks is counted after it."""
        return usage_response(self._store.get(tenant_id), self._clock())
