"""Credit: how often a warm function may write counters for what it serves."""

from datetime import datetime, timedelta

# A fresh or rested function writes for each request by itself. Under load it saves up: at ten requests a second and
# more, one call carries what at least ten requests did. A write must not wait where a limit is at stake, so credit may
# be overdrawn, a little.
_MOST = 50.0
_AMPLE = 10.0
_LEAST = -5.0
_PER_REQUEST = 0.05
_PER_SECOND = 0.5
# After the store failed it is left alone for so long; nothing is forgotten meanwhile.
_REST = timedelta(seconds=10)


class Credit:
    """Earned by requests and by time, spent by calls."""

    def __init__(self, now: datetime) -> None:
        self._left = _MOST
        self._earned_at = now
        self._failed_at: datetime | None = None

    def earn(self, now: datetime) -> None:
        """Once a request; by the wall clock, since others may stand still while a function is frozen."""
        rested = max(0.0, (now - self._earned_at).total_seconds())
        self._left = min(_MOST, self._left + _PER_REQUEST + _PER_SECOND * rested)
        self._earned_at = now

    def spend(self) -> None:
        """A call was made."""
        self._left = max(_LEAST, self._left - 1)

    @property
    def is_left(self) -> bool:
        """Whether a call can be afforded that could wait."""
        return self._left >= 1

    @property
    def is_ample(self) -> bool:
        """Whether each request can have a call of its own, so that nothing has to be counted ahead."""
        return self._left >= _AMPLE

    def fail(self, now: datetime) -> None:
        """A call failed."""
        self._failed_at = now

    def is_resting(self, now: datetime) -> bool:
        """Whether the last failure is so recent that nothing should be tried which can wait."""
        return self._failed_at is not None and timedelta(0) <= now - self._failed_at < _REST
