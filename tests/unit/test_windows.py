"""Windows of requests: whatever functions ask, and whatever their clocks say, none takes more than the limit."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.domain.windows import MOST_AHEAD_S, Step, Window, next_step


def test_a_function_that_saw_nothing_opens_a_window_with_half_of_it_at_most() -> None:
    assert next_step(None, 100, 50, 20) == Step("open", 100, 10, 20)
    assert next_step(Window(99, 20), 100, 3, 20) == Step("open", 100, 3, 20)


def test_a_function_whose_clock_is_behind_joins_the_window_that_stands() -> None:
    assert next_step(Window(100 + MOST_AHEAD_S, 4), 100, 3, 20) == Step("join", 100 + MOST_AHEAD_S, 3, 20)


def test_the_last_token_of_a_window_can_be_taken_and_no_further_one() -> None:
    assert next_step(Window(100, 19), 100, 50, 20) == Step("join", 100, 1, 20)
    assert next_step(Window(100, 20), 100, 50, 20) is None


def test_a_window_of_a_clock_that_jumped_is_replaced_if_it_still_stands() -> None:
    step = next_step(Window(9000, 20), 100, 1, 20)

    assert step == Step("replace", 100, 1, 20, seen=9000)
    assert step.applied_to(Window(9000, 20)) == Window(100, 1)
    assert step.applied_to(Window(9001, 0)) is None


def test_a_window_that_stands_is_not_opened_again() -> None:
    step = Step("open", 100, 5, 20)

    assert step.applied_to(Window(99, 20)) == Window(100, 5)
    assert step.applied_to(Window(100, 1)) is None
    assert step.applied_to(Window(101, 1)) is None


def test_a_limit_of_nothing_opens_no_window() -> None:
    assert next_step(None, 100, 1, 0) is None


@given(
    limit=st.integers(1, 30),
    skews=st.lists(st.integers(0, MOST_AHEAD_S), min_size=1, max_size=5),
    asked=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(1, 60), st.booleans()), max_size=60),
)
def test_no_window_takes_more_than_its_limit(
    limit: int, skews: list[int], asked: list[tuple[int, int, int, bool]]
) -> None:
    """Functions with clocks up to five seconds apart, each acting on what it saw last or on what stands there."""
    stands: Window | None = None
    seen: list[Window | None] = [None] * len(skews)
    granted: Counter[int] = Counter()
    second = 100
    for who, passed, wanted, is_informed in asked:
        function = who % len(skews)
        second += passed
        if is_informed:
            seen[function] = stands
        step = next_step(seen[function], second + skews[function], wanted, limit)
        after = step and step.applied_to(stands)
        if step and after:
            granted[step.second] += step.tokens
            stands = after
        seen[function] = stands

    assert all(count <= limit for count in granted.values())
