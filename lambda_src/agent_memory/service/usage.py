"""Usage: what each request did is added up here and passed on to the counters."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from agent_memory.domain.limits import Limits
from agent_memory.domain.ports import UsageStore
from agent_memory.domain.usage import Tally, UsageResponse, usage_response
from agent_memory.service.credit import Credit
from agent_memory.service.marks import Marks

# A slow store holds no request up for longer, one last call apart.
_SECONDS = 1.0


class Waiting:
    """Counts of every tenant that no write has carried to the store yet, the tenant that waits longest first."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """Let counts wait; behind all others, when it is a new tenant."""
        if counts:
            # update, for + would drop what is below zero.
            self._counts.setdefault(tenant_id, Counter()).update(counts)

    def take(self, tenant_id: str) -> Counter[str]:
        """Hand over a tenant's counts to a write, which gives them back when it fails."""
        return Counter({name: count for name, count in self._counts.pop(tenant_id, Counter()).items() if count})

    def put_back(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """After a write that may have been done: rather is something counted twice than taken off twice."""
        self.add(tenant_id, {name: count for name, count in counts.items() if count > 0})

    @property
    def first(self) -> str | None:
        """Who has waited longest."""
        return next(iter(self._counts), None)


class Meter:
    """Counts work for every tenant that a warm function serves.

    With credit what a request did is counted before it is answered. Without, it waits for later requests: what about
    twenty requests of each tenant did, which is lost with the function when no other request comes.
    """

    def __init__(
        self,
        store: UsageStore,
        marks: Marks,
        clock: Callable[[], datetime],
        waiting: Waiting | None = None,
        credit: Credit | None = None,
    ) -> None:
        self._store = store
        self._marks = marks
        self._clock = clock
        self._waiting = waiting or Waiting()
        self._credit = credit or Credit(clock())

    def settle(self, tenant_id: str, tally: Tally) -> None:
        """Count what one request did.

        Raises:
            StoreUnavailable: and whatever else the store raises; what was not passed on waits for another request.
        """
        now, deadline = self._clock(), time.monotonic() + _SECONDS
        self._waiting.add(tenant_id, tally.counts(now))
        self._marks.note(tenant_id, tally.touched, now)
        self._credit.earn(now)
        if self._credit.is_resting(now):
            return
        try:
            for marked_for, counter in self._marks.make(now, deadline):
                self._waiting.add(marked_for, {counter: 1})
            while (first := self._waiting.first) and self._credit.is_left and time.monotonic() < deadline:
                self._pass_on(first)
        except Exception:  # whatever it was, a bug too: without a rest each request would meet it again
            self._credit.fail(now)
            raise

    def _pass_on(self, tenant_id: str) -> None:
        """Serve the tenant that has waited longest; when that fails it goes to the end of the line."""
        counts = self._waiting.take(tenant_id)
        if not counts:
            return
        try:
            self._store.add(tenant_id, counts)
        except Exception:
            self._waiting.put_back(tenant_id, counts)
            raise
        self._credit.spend()


class Usage:
    """GET /v1/usage."""

    def __init__(self, store: UsageStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def of(self, tenant_id: str, limits: Limits) -> UsageResponse:
        """What has been counted for the tenant, with the request that asks."""
        return usage_response(self._store.get(tenant_id), limits, self._clock())
