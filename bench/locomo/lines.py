"""Lines of the report: ours / vector-only / lexical only / the last turns, each the mean over the questions."""

from collections.abc import Mapping, Sequence

from agent_memory.domain.fusion import Weights
from bench.locomo.data import ANSWERABLE, CATEGORIES
from bench.locomo.metrics import MEASURES, Recall, in_tokens, in_top
from bench.report import Line

WAYS = ("ours", "vector", "lexical", "last")
_LEFT_OUT, _TARGET = 0.72, 0.75
_IN_A_THOUSAND = 0.68
_REPEATED = 0.99
_DECISIVE = in_top(10)


def shipped(recalls: Mapping[str, Recall]) -> list[Line]:
    """Every measure of what the API answers, over all that can be answered and by category."""
    return [line for measure in MEASURES for line in _measured(measure, recalls)]


def left_out(weighed: Recall, vector: Recall) -> list[Line]:
    """What weights chosen on the other conversations find, and where vectors alone find more."""
    found = weighed.mean(_DECISIVE)
    budget = f">= {_LEFT_OUT}, target {_TARGET}"
    lines = [
        Line(
            f"evidence recall{_DECISIVE}, weights of the other conversations",
            f"{found:.3f}",
            budget,
            found >= _LEFT_OUT,
        )
    ]
    return lines + [
        _no_worse(f"  {CATEGORIES[each]}", weighed.mean(_DECISIVE, [each]), vector.mean(_DECISIVE, [each]))
        for each in ANSWERABLE
    ]


def repeated(same: int, of: int) -> Line:
    """Whether the scores' parts, fused in Python by the shipped weights, give the order that the API gave.

    Not always: which vectors are the nearest is known about as exactly as the recall of the layout says.
    """
    budget = f">= {_REPEATED}"
    return Line("ten best, fused anew by shipped weights", f"{same} of {of} equal", budget, same >= _REPEATED * of)


def chosen(weights: Sequence[Weights]) -> list[Line]:
    """Which weights each conversation was asked with."""
    told = [f"{each.meaning:g}; {', '.join(f'{part:g}' for part in each.lent)}; {each.aged:g}" for each in weights]
    return [Line(f"  meaning; lent; aged, conversation {place}", each, "", None) for place, each in enumerate(told, 1)]


def _measured(measure: str, recalls: Mapping[str, Recall]) -> list[Line]:
    ours = recalls["ours"].mean(measure)
    budget, holds = ("", None) if measure != in_tokens(1000) else (f">= {_IN_A_THOUSAND}", ours >= _IN_A_THOUSAND)
    return [
        Line(f"evidence recall{measure}", _figures(recalls, measure, ANSWERABLE), budget, holds),
        *(_category(measure, recalls, each) for each in CATEGORIES),
    ]


def _category(measure: str, recalls: Mapping[str, Recall], category: int) -> Line:
    figures = _figures(recalls, measure, [category])
    if measure != _DECISIVE or category not in ANSWERABLE:
        return Line(f"  {CATEGORIES[category]}", figures, "", None)
    ours, vector = (recalls[way].mean(measure, [category]) for way in ("ours", "vector"))
    return Line(f"  {CATEGORIES[category]}", figures, ">= vector-only", ours >= vector)


def _no_worse(what: str, ours: float, vector: float) -> Line:
    return Line(what, f"{ours:.3f} / {vector:.3f}", ">= vector-only", ours >= vector)


def _figures(recalls: Mapping[str, Recall], measure: str, categories: Sequence[int]) -> str:
    return " / ".join(f"{recalls[way].mean(measure, categories):.3f}" for way in WAYS)
