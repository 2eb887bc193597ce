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
    """What holds on a day: the value, since when and until when, whom it is for, and which words it is told in."""

    value: str
    start: int
    end: int
    purposes: frozenset[str]
    words: int


Strip = list[list[tuple[int, Say]]]
PURPOSES = (None, "care", "billing")


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
    """Everything that says what who cares sees on the day; of many values the first by its letter."""
    for strip in strips(state, cardinality):
        if told(strip, day, "care"):
            value, start, end = run_of(strip, day)
            alike = (n for n in state.standing() if state.said[n].value == value)
            return frozenset(n for n in alike if start <= state.said[n].start < end)
    return frozenset()


def holds(state: Known, day: int, cardinality: str = "one", purpose: str | None = None) -> list[Holds]:
    """What is told of a day to who asks for a purpose."""
    found = (told(strip, day, purpose) for strip in strips(state, cardinality))
    return [each for each in found if each is not None]


def strips(state: Known, cardinality: str) -> list[Strip]:
    """One for all that stands, or one for each of many values."""
    standing = [(number, state.said[number]) for number in state.standing()]
    if cardinality == "one":
        return [paint(standing)]
    values = sorted({each.value for each in state.said})
    return [paint([each for each in standing if each[1].value == value]) for value in values]


def paint(said: list[tuple[int, Say]]) -> Strip:
    """For each day the statements that are painted on it, the last on top."""
    strip: Strip = [[] for _ in range(DAYS)]
    for start in range(DAYS):
        together = [each for each in said if each[1].start == start]
        if not together:
            continue
        best = max(each.rank for _, each in together)
        number, new = [each for each in together if each[1].rank == best][-1]  # the later word of the most trusted
        there = strip[start]
        if there and there[-1][1].rank > new.rank:
            continue  # something more trusted holds
        if there and there[-1][1].value != new.value:
            for day in range(start, DAYS):
                strip[day] = []  # what held has ended, for good
        for day in range(start, new.end):
            strip[day] = [*strip[day], (number, new)]
    return strip


def run_of(strip: Strip, day: int) -> tuple[str, int, int]:
    """The value that holds on a day, since when and until when."""
    value = strip[day][-1][1].value
    return value, *around(day, [bool(each) and each[-1][1].value == value for each in strip])


def around(day: int, days: list[bool]) -> tuple[int, int]:
    """The stretch of days around one."""
    start = end = day
    while start > 0 and days[start - 1]:
        start -= 1
    while end < DAYS and days[end]:
        end += 1
    return start, end


def told(strip: Strip, day: int, purpose: str | None) -> Holds | None:
    """What holds on a day to who hears what was said for everything, and for this purpose.

    What was said for everything and goes on for purposes is told for these alone.
    """
    if not strip[day]:
        return None
    value, start, end = run_of(strip, day)
    said = {number: each for there in strip[start:end] for number, each in there}
    if any(each.purposes for each in said.values()):
        if not any(purpose in each.purposes for each in said.values()):
            return None
        said = {number: each for number, each in said.items() if not each.purposes or purpose in each.purposes}
        painted = [start <= place < end and any(n in said for n, _ in there) for place, there in enumerate(strip)]
        if not painted[day]:
            return None
        start, end = around(day, painted)
        said = {number: said[number] for there in strip[start:end] for number, _ in there if number in said}
        return Holds(
            value, start, end, frozenset({str(purpose)}).union(*(e.purposes for e in said.values())), max(said)
        )
    return Holds(value, start, end, frozenset(), max(said))


@st.composite
def says(draw: st.DrawFn) -> Say:
    start = draw(st.integers(0, DAYS - 1))
    end = draw(st.sampled_from([NEVER, NEVER, *range(start + 1, DAYS)]))
    care, billing = frozenset({"care"}), frozenset({"billing"})
    purposes = draw(st.sampled_from([frozenset[str](), frozenset[str](), care, billing, care | billing]))
    return Say(draw(st.sampled_from("ABC")), start, end, draw(st.sampled_from([3, 3, 2])), purposes)


def histories(longest: int) -> st.SearchStrategy[list[Step]]:
    """Histories that begin with something said."""
    step = st.one_of(says(), says(), says(), st.builds(Retract, st.integers(0, DAYS - 1)), st.builds(Restore))
    return st.builds(lambda first, rest: [first, *rest], says(), st.lists(step, max_size=longest - 1))
