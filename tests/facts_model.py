"""A model of facts that is right at first sight: a strip of days that is painted on, and a list of steps to replay.

One user, one subject, one predicate. What is known at step K is found by painting everything that stands after K steps
from the first day on.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

DAYS = 8
NEVER = DAYS  # the end of time


class Say(NamedTuple):
    """A value holds from a day until before another one."""

    value: str
    start: int
    end: int
    rank: int
    purposes: frozenset[str] = frozenset()


class Retract(NamedTuple):
    """What holds on a day is taken back."""

    day: int


class Restore(NamedTuple):
    """What was taken back last, and has not been restored, is restored."""


Step = Say | Retract | Restore


class Holds(NamedTuple):
    """What holds on a day: the value, since when and until when, and whom it is for."""

    value: str
    start: int
    end: int
    purposes: frozenset[str]


@dataclass
class Known:
    """What has been said, and what of it was taken back, together."""

    said: list[Say] = field(default_factory=list)
    taken: list[frozenset[int]] = field(default_factory=list)

    def standing(self) -> list[int]:
        return [number for number in range(len(self.said)) if not any(number in each for each in self.taken)]


def replay(steps: list[Step], known: int, cardinality: str = "one") -> Known:
    """What is known after so many steps."""
    state = Known()
    for step in steps[:known]:
        if isinstance(step, Say):
            state.said.append(step)
        elif isinstance(step, Restore):
            state.taken and state.taken.pop()
        elif alike := taken_back(state, step.day, cardinality):
            state.taken.append(alike)
    return state


def taken_back(state: Known, day: int, cardinality: str) -> frozenset[int]:
    """Everything that says what holds on the day; of many values the first by its letter."""
    held = holds(state, day, cardinality)
    if not held:
        return frozenset()
    first = held[0]
    return frozenset(
        number
        for number in state.standing()
        if state.said[number].value == first.value and first.start <= state.said[number].start < first.end
    )


def holds(state: Known, day: int, cardinality: str = "one") -> list[Holds]:
    """What holds on a day."""
    if cardinality == "one":
        groups = [state.standing()]
    else:
        values = sorted({each.value for each in state.said})
        groups = [[n for n in state.standing() if state.said[n].value == value] for value in values]
    found = (_on(paint([state.said[number] for number in group]), day) for group in groups)
    return [each for each in found if each is not None]


def paint(said: list[Say]) -> list[list[Say]]:
    """For each day the statements that are painted on it, the last on top."""
    strip: list[list[Say]] = [[] for _ in range(DAYS)]
    for start in range(DAYS):
        together = [each for each in said if each.start == start]
        if not together:
            continue
        best = max(rank for rank in (each.rank for each in together))
        new = [each for each in together if each.rank == best][-1]  # the later word of the most trusted
        there = strip[start]
        if there and there[-1].rank > new.rank:
            continue  # something more trusted holds
        if there and there[-1].value != new.value:
            for day in range(start, DAYS):
                strip[day] = []  # what held has ended, for good
        for day in range(start, new.end):
            strip[day] = [*strip[day], new]
    return strip


def _on(strip: list[list[Say]], day: int) -> Holds | None:
    if not strip[day]:
        return None
    value = strip[day][-1].value
    start = end = day
    while start > 0 and strip[start - 1] and strip[start - 1][-1].value == value:
        start -= 1
    while end < DAYS and strip[end] and strip[end][-1].value == value:
        end += 1
    purposes = frozenset(purpose for each in strip[start:end] for said in each for purpose in said.purposes)
    return Holds(value, start, end, purposes)


@st.composite
def says(draw: st.DrawFn) -> Say:
    start = draw(st.integers(0, DAYS - 1))
    end = draw(st.sampled_from([NEVER, NEVER, *range(start + 1, DAYS)]))
    purposes = draw(st.sampled_from([frozenset[str](), frozenset[str](), frozenset({"care"})]))
    return Say(draw(st.sampled_from("ABC")), start, end, draw(st.sampled_from([3, 3, 2])), purposes)


def histories(longest: int) -> st.SearchStrategy[list[Step]]:
    """Histories that begin with something said."""
    step = st.one_of(says(), says(), says(), st.builds(Retract, st.integers(0, DAYS - 1)), st.builds(Restore))
    return st.builds(lambda first, rest: [first, *rest], says(), st.lists(step, max_size=longest - 1))
