"""Reservations: work that a tenant has a limit of is counted before it is done; what was not needed is given back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_memory.domain.claims import Claim, ClaimRefused
from agent_memory.domain.limits import Limits, of_month, until_next_month_s
from agent_memory.domain.ports import UsageStore
from agent_memory.domain.usage import Tally, Work
from agent_memory.errors import RateLimited
from agent_memory.service.credit import Credit
from agent_memory.service.usage import Waiting

_LIMIT_OF: dict[Work, str] = {
    "embeddings": "embeddings_per_month",
    "dynamo_bytes": "stored_bytes",
    "s3_bytes": "stored_bytes",
    "vectors": "vectors",
}
# Under load one write reserves for as many requests like the present one.
_MOST_AHEAD = 16
# Of what is left, so that one function does not keep it from the others.
_SHARE = 8
_ATTEMPTS = 4
_ASK_AGAIN = timedelta(seconds=1)
_IDLE = timedelta(seconds=2)
_PURSES = 1000


@dataclass(slots=True)
class _Purse:
    """What is counted already and not done yet, of one kind of work."""

    held: int = 0
    ahead: int = 1
    counted: int | None = None
    used_at: datetime | None = None
    refusal: tuple[int, int, datetime] | None = None  # limit, room, until


class Reservations:
    """Reserves for every tenant that a warm function serves.

    Exactly what is needed while there is time for a write each; ahead, under load, for the requests to come.
    """

    def __init__(self, store: UsageStore, waiting: Waiting, credit: Credit, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._waiting = waiting
        self._credit = credit
        self._clock = clock
        self._purses: dict[tuple[str, str], _Purse] = {}

    def quota(self, tenant_id: str, limits: Limits) -> "TenantQuota":
        """What one request of the tenant may do."""
        return TenantQuota(self, tenant_id, limits, self._clock())

    def reserve(self, tenant_id: str, counter: str, amount: int, limit_name: str, limit: int) -> None:
        """Count the work.

        Raises:
            RateLimited: there is no room for it; nothing was counted.
            StoreUnavailable: nobody knows whether there is.
        """
        now = self._clock()
        purse = self._purse(tenant_id, counter, now)
        if purse.held < amount:
            short = amount - purse.held
            if purse.refusal and purse.refusal[0] == limit and purse.refusal[1] < short and now < purse.refusal[2]:
                raise _refusal(limit_name, limit, now)
            purse.ahead = 1 if self._credit.is_ample else min(purse.ahead * 2, _MOST_AHEAD)
            purse.held += self._claim(tenant_id, counter, purse, (short, short + (purse.ahead - 1) * amount), limit)
        if purse.held < amount:
            room = limit - (purse.counted or 0)
            purse.refusal = (limit, room, now + _ASK_AGAIN)
            raise _refusal(limit_name, limit, now)
        purse.held -= amount

    def settle(self, tenant_id: str, tally: Tally) -> None:
        """What the request did not need is kept for the next one under load, and else given back with its counts."""
        now = self._clock()
        for work in _LIMIT_OF:
            purse = self._purses.get((tenant_id, _counter(work, tally.began_at or now)))
            reserved = tally.reserved.get(work, 0)
            unspent = reserved - int(getattr(tally, work))
            if purse is not None and unspent > 0:
                purse.refusal = None  # what was freed may make room
                kept = 0 if self._credit.is_ample else max(0, min(unspent, (purse.ahead - 1) * reserved - purse.held))
                purse.held += kept
                tally.reserved[work] = reserved - kept
        self._give_back(now)

    def _give_back(self, now: datetime) -> None:
        for (holder, counter), purse in self._purses.items():
            is_idle = purse.used_at is None or not timedelta(0) <= now - purse.used_at < _IDLE
            if purse.held and (is_idle or self._credit.is_ample):
                self._waiting.add(holder, {counter: -purse.held})
                purse.held = 0

    def _purse(self, tenant_id: str, counter: str, now: datetime) -> _Purse:
        purse = self._purses.pop((tenant_id, counter), None) or _Purse()
        if len(self._purses) >= _PURSES:
            oldest = next(iter(self._purses))
            gone = self._purses.pop(oldest)
            self._waiting.add(oldest[0], {oldest[1]: -gone.held} if gone.held else {})
        self._purses[tenant_id, counter] = purse
        purse.used_at = now
        return purse

    def _claim(self, tenant_id: str, counter: str, purse: _Purse, wanted: tuple[int, int], limit: int) -> int:
        """How much was counted, between the least and the most that is wanted; 0 when there is no room."""
        least, most = wanted
        for _ in range(_ATTEMPTS):
            carried = self._waiting.take(tenant_id)
            room = None if purse.counted is None else limit - purse.counted
            amount = least if room is None else max(least, min(most, room // _SHARE))
            counts = {**carried, counter: carried[counter] + amount}
            try:
                after = self._store.claim(tenant_id, Claim(counts, {counter: limit}))
            except ClaimRefused as refused:
                self._waiting.add(tenant_id, carried)
                purse.counted = refused.counters.get(counter, 0)
                if limit - purse.counted - carried[counter] < least:
                    return 0
            except Exception:
                self._waiting.put_back(tenant_id, carried)
                raise
            else:
                self._credit.spend()
                purse.counted = after.get(counter, 0)
                return amount
        return 0


class TenantQuota:
    """`Quota` of the request under way."""

    def __init__(self, reservations: Reservations, tenant_id: str, limits: Limits, began_at: datetime) -> None:
        self._reservations = reservations
        self._tenant_id = tenant_id
        self._limits = limits
        self._began_at = began_at

    def reserve(self, work: Work, amount: int) -> int:
        """See `Quota.reserve`."""
        name = _LIMIT_OF[work]
        limit: int | None = getattr(self._limits, name)
        if limit is None:
            return 0
        self._reservations.reserve(self._tenant_id, _counter(work, self._began_at), amount, name, limit)
        return amount


def _counter(work: Work, at: datetime) -> str:
    return of_month(work, at) if work == "embeddings" else work


def _refusal(name: str, limit: int, now: datetime) -> RateLimited:
    # What is stored becomes less only by what the tenant deletes: there is no time to tell.
    return RateLimited(name, limit, until_next_month_s(now) if name == "embeddings_per_month" else 60)
