"""Windows of one second, in which a tenant's requests are counted: what a function takes next, by what it has seen.

Clocks of functions differ a little. The window that stands in the store is the one that counts, as long as it is not
far ahead: a function whose clock is behind joins it, one whose clock is ahead opens the next. So a window is never
opened twice, and takes no more than the limit, whatever the clocks say. A window further ahead than clocks can differ
was opened by one that jumped; it is replaced, on condition that it is still the one which was seen.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

# Clocks of AWS's machines differ by milliseconds.
MOST_AHEAD_S = 5


class Window(NamedTuple):
    """A second, and how many requests were taken in it."""

    second: int
    taken: int


@dataclass(frozen=True, slots=True)
class Step:
    """Take tokens of a window, `limit` at most: open a later one than stands there, join the one that does, or replace
    the one that was `seen` there.
    """

    kind: Literal["open", "join", "replace"]
    second: int
    tokens: int
    limit: int
    seen: int = 0

    def applied_to(self, stands: Window | None) -> Window | None:
        """The window afterwards; None when that is not allowed. What stores do by a conditional write."""
        if self.kind == "join":
            fits = stands is not None and stands.second == self.second and stands.taken + self.tokens <= self.limit
            return Window(self.second, stands.taken + self.tokens) if stands and fits else None
        if self.kind == "open":
            is_allowed = stands is None or stands.second < self.second
        else:
            is_allowed = stands is not None and stands.second == self.seen
        return Window(self.second, self.tokens) if is_allowed else None


def next_step(seen: Window | None, second: int, wanted: int, limit: int) -> Step | None:
    """What to try, at most half of the room at once so that other functions find some; None when there is no room."""
    if seen is None or seen.second < second:
        return Step("open", second, _share(wanted, limit), limit) if limit else None
    if seen.second > second + MOST_AHEAD_S:
        return Step("replace", second, _share(wanted, limit), limit, seen.second) if limit else None
    room = limit - seen.taken
    return Step("join", seen.second, _share(wanted, room), limit) if room > 0 else None


def _share(wanted: int, room: int) -> int:
    return max(1, min(wanted, room // 2))
