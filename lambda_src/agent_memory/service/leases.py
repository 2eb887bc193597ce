"""A tenant's lease in one function: requests that are counted already and not served yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_memory.domain.claims import Claim, window_of
from agent_memory.domain.limits import Limits, until_next_month_s
from agent_memory.domain.windows import Step, Window, next_step
from agent_memory.errors import RateLimited

_MOST_TOKENS = 50
# Of what a month has left, so that one function does not keep it from the others.
_SHARE = 8
_ASK_AGAIN = timedelta(seconds=10)


@dataclass(slots=True)
class Lease:
    """`tokens` are good for `month`, `rate_tokens` for `second`; `window` and `counted` are what the store said."""

    used_at: datetime
    month: str = ""
    tokens: int = 0
    second: int = 0
    rate_tokens: int = 0
    window: Window | None = None
    counted: int | None = None
    limits: Limits | None = None
    _refusal: tuple[Limits, datetime, str, int] | None = None  # until when, of which limit, and when to come again
    _size: int = 1
    _spent: int = 0
    _served: int = 0  # in this second
    _demand: int = 0  # of the second before

    def turn(self, month: str, second: int) -> None:
        """Time goes on, and tokens become void."""
        if self.month != month:
            self.month, self.tokens, self.counted = month, 0, None
        if self.second != second:
            self._demand = self._served if second == self.second + 1 else 0
            self.second, self.rate_tokens, self._served = second, 0, 0

    def obey(self, limits: Limits) -> int:
        """Other limits than the tokens were taken under make them void; returns how many are to be given back."""
        void = self.tokens if self.limits not in (None, limits) else 0
        self.limits = limits
        if void:
            self.tokens = self.rate_tokens = 0
        return void

    def refused(self, limits: Limits, now: datetime) -> RateLimited | None:
        """What to raise while a refusal holds. Made anew: an error that is raised again keeps all requests it met."""
        if self._refusal is None or self._refusal[0] != limits or now >= self._refusal[1]:
            return None
        _, _, name, retry_after_s = self._refusal
        return RateLimited(name, getattr(limits, name), retry_after_s)

    def has_token(self, limits: Limits) -> bool:
        """Whether a request can be served without a call."""
        return self.tokens > 0 and (self.rate_tokens > 0 or limits.requests_per_second is None)

    def spend(self) -> None:
        """Serve one."""
        self.tokens -= 1
        self.rate_tokens = max(0, self.rate_tokens - 1)
        self._spent += 1
        self._served += 1

    def next_size(self, *, in_a_hurry: bool) -> int:
        """How many tokens to take: one while there is time, else as the second before, and more when that is gone."""
        grown = self._size * 2 if self._spent >= self._size else self._spent
        wanted = min(max(1, grown, self._demand - self._served), _MOST_TOKENS)
        self._size, self._spent = wanted if in_a_hurry else 1, 0
        return self._size

    def wish(self, limits: Limits, size: int, now: datetime, *, informed: bool) -> Claim:
        """What to ask the store for, by what was seen there; `informed` when that was just now.

        Raises:
            RateLimited: there is no room.
        """
        step = self._step(limits, size, now, informed=informed)
        wanted = max(0, (step.tokens if step else size) - self.tokens)
        most = limits.requests_per_month
        if most is None:
            return Claim({self.month: wanted}, step=step)
        least = 0 if self.tokens else 1
        left = None if self.counted is None else most - self.counted
        if least and informed and left is not None and left < least:
            raise self._refuse("requests_per_month", limits, now + _ASK_AGAIN, until_next_month_s(now))
        wanted = least if left is None else max(least, min(wanted, left // _SHARE))
        return Claim({self.month: wanted}, {self.month: most} if wanted else {}, step)

    def learn(self, counters: Mapping[str, int]) -> None:
        """What stands in the store."""
        self.counted = counters.get(self.month, 0)
        self.window = window_of(counters)

    def receive(self, claim: Claim, counters: Mapping[str, int]) -> None:
        """The store has done as it was asked, and told what stands there now."""
        self.tokens += claim.counts[self.month]
        self.rate_tokens = claim.step.tokens if claim.step else 0
        self.learn(counters)

    def give_up(self, limits: Limits, now: datetime) -> RateLimited:
        """What to raise when other functions were quicker each time: there is next to no room."""
        if limits.requests_per_second is None:
            return self._refuse("requests_per_month", limits, now + timedelta(seconds=1), 1)
        return self._refuse_rate(limits, now)

    def _refuse_rate(self, limits: Limits, now: datetime) -> RateLimited:
        return self._refuse("requests_per_second", limits, now.replace(microsecond=0) + timedelta(seconds=1), 1)

    def _step(self, limits: Limits, size: int, now: datetime, *, informed: bool) -> Step | None:
        rate = limits.requests_per_second
        if rate is None:
            return None
        step = next_step(self.window, self.second, size, rate)
        if step is not None:
            return step
        # A window never has more room than when it was seen; but one that is ahead may have been replaced since then.
        if informed or self.window is None or self.window.second == self.second:
            raise self._refuse_rate(limits, now)
        return Step("join", self.window.second, 1, rate)

    def _refuse(self, name: str, limits: Limits, until: datetime, retry_after_s: int) -> RateLimited:
        self._refusal = (limits, until, name, retry_after_s)
        return RateLimited(name, getattr(limits, name), retry_after_s)
