"""Admission: whether one more request of a tenant may be served. It is counted before it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from agent_memory.domain.claims import ClaimRefused
from agent_memory.domain.limits import Limits, of_month
from agent_memory.domain.ports import UsageStore
from agent_memory.errors import RateLimited
from agent_memory.service.credit import Credit
from agent_memory.service.leases import Lease
from agent_memory.service.usage import Waiting

# Each attempt but the last fails only because other functions were quicker.
_ATTEMPTS = 8
_IDLE = timedelta(seconds=2)
_TENANTS = 1000


class Admission:
    """Takes tokens for every tenant that a warm function serves, some at a time under load, by one write.

    The write also carries what waits to be counted. A tenant that is refused is refused here until its next second,
    or for ten seconds when its month is used up, without another call.
    """

    def __init__(self, store: UsageStore, waiting: Waiting, credit: Credit, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._waiting = waiting
        self._credit = credit
        self._clock = clock
        self._leases: dict[str, Lease] = {}

    def take(self, tenant_id: str, limits: Limits) -> Exception | None:
        """Count one request. What kept it from being counted is returned when nothing limits it: then it waits.

        Raises:
            RateLimited: it is one too many; it was not counted.
            StoreUnavailable: and whatever else the store raises, when nobody knows whether it is.
        """
        now = self._clock()
        lease = self._lease(tenant_id, now)
        lease.turn(of_month("api_calls", now), int(now.timestamp()))
        if void := lease.obey(limits):
            self._waiting.add(tenant_id, {lease.month: -void})
        if not lease.has_token(limits):
            if refusal := lease.refused(limits, now):
                raise refusal
            try:
                if not limits.limits_requests and self._credit.is_resting(now):
                    return self._owe(tenant_id, lease, None)
                self._renew(tenant_id, lease, limits, now)
            except RateLimited:
                raise
            except Exception as failure:
                self._credit.fail(now)
                if limits.limits_requests:
                    raise
                return self._owe(tenant_id, lease, failure)
        lease.spend()
        return None

    def give_back(self) -> None:
        """Take tokens from tenants that have stopped asking, so that their counters come down to what was served."""
        now = self._clock()
        for tenant_id, lease in self._leases.items():
            if lease.tokens and not timedelta(0) <= now - lease.used_at < _IDLE:
                self._waiting.add(tenant_id, {lease.month: -lease.tokens})
                lease.tokens = 0

    def _lease(self, tenant_id: str, now: datetime) -> Lease:
        lease = self._leases.pop(tenant_id, None) or Lease(now)
        if len(self._leases) >= _TENANTS:
            oldest = next(iter(self._leases))
            gone = self._leases.pop(oldest)
            self._waiting.add(oldest, {gone.month: -gone.tokens} if gone.tokens else {})
        self._leases[tenant_id] = lease  # among the newest
        lease.used_at = now
        return lease

    def _renew(self, tenant_id: str, lease: Lease, limits: Limits, now: datetime) -> None:
        size = lease.next_size(in_a_hurry=not self._credit.is_ample)
        for attempt in range(_ATTEMPTS):
            claim = lease.wish(limits, size, now, informed=attempt > 0)
            carried = self._waiting.take(tenant_id)
            counts = {name: claim.counts.get(name, 0) + carried[name] for name in {**claim.counts, **carried}}
            try:
                counters = self._store.claim(tenant_id, replace(claim, counts=counts))
            except ClaimRefused as refused:
                self._waiting.add(tenant_id, carried)
                lease.learn(refused.counters)
            except Exception:
                self._waiting.put_back(tenant_id, carried)
                raise
            else:
                self._credit.spend()
                lease.receive(claim, counters)
                return
        raise lease.give_up(limits, now)

    def _owe(self, tenant_id: str, lease: Lease, failure: Exception | None) -> Exception | None:
        self._waiting.add(tenant_id, {lease.month: 1})
        return failure
