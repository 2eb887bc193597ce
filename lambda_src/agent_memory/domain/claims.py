"""Claims: one write of a tenant's counters that happens whole, or not at all because of a limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent_memory.domain.windows import Step, Window

WINDOW_SECOND = "window_second"
WINDOW_TAKEN = "window_taken"
WINDOW_NAMES = (WINDOW_SECOND, WINDOW_TAKEN)


@dataclass(frozen=True, slots=True)
class Claim:
    """`counts` are added; a counter with a ceiling must not be above it afterwards; `step` must be allowed."""

    counts: Mapping[str, int]
    ceilings: Mapping[str, int] = field(default_factory=dict)
    step: Step | None = None


class ClaimRefused(Exception):
    """Nothing was written; `counters` is what stands there."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        super().__init__("a limit is reached")
        self.counters = counters


def window_of(counters: Mapping[str, int]) -> Window | None:
    """The window among counters."""
    if WINDOW_SECOND not in counters:
        return None
    return Window(counters[WINDOW_SECOND], counters.get(WINDOW_TAKEN, 0))


def claimed(counters: Mapping[str, int], claim: Claim) -> dict[str, int]:
    """What the counters are after the claim.

    Raises:
        ClaimRefused: it is not allowed.
    """
    after = dict(counters)
    for name, count in claim.counts.items():
        after[name] = after.get(name, 0) + count
    if any(after.get(name, 0) > ceiling for name, ceiling in claim.ceilings.items()):
        raise ClaimRefused(counters)
    if claim.step is not None:
        window = claim.step.applied_to(window_of(counters))
        if window is None:
            raise ClaimRefused(counters)
        after |= {WINDOW_SECOND: window.second, WINDOW_TAKEN: window.taken}
    return after
