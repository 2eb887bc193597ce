"""One bucket of queries run through a layout: what was found, how long it took, how many pages it touched."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from agent_memory.domain.embedding import Vector
from bench.vectors.data import Queries, tenant_name
from bench.vectors.layout import Layout, pages
from bench.vectors.truth import Truth

_TURNS = 3

Asked = Sequence[tuple[str, Vector]]


@dataclass(frozen=True)
class Searches:
    """Figures of one bucket; times in milliseconds."""

    recall: float
    p50: float
    p95: float
    pages: float


def asked(queries: Queries) -> Asked:
    """Queries as an application has them: the tenant's id, and the vector that the model gave."""
    vectors = map(tuple, queries.vectors.astype(float).tolist())
    return list(zip(map(tenant_name, queries.tenants.tolist()), vectors, strict=True))


def searched(layouts: Sequence[Layout], queries: Asked, truth: Truth) -> list[Searches]:
    """Ask each layout everything, by turns and twice in a row, so that caches are warm.

    The quickest time of each query counts: what else the machine does is no property of a layout.
    """
    best = [[math.inf] * len(queries) for _ in layouts]
    for _ in range(_TURNS):
        for layout, times in zip(layouts, best, strict=True):
            for _ in range(2):
                times[:] = map(min, times, [timed(layout.search, *query) for query in queries])
    return [_figures(layout, queries, truth, times) for layout, times in zip(layouts, best, strict=True)]


def _figures(layout: Layout, queries: Asked, truth: Truth, times: Sequence[float]) -> Searches:
    before = pages(layout.session)
    found = [layout.search(*query) for query in queries]
    touched = (pages(layout.session) - before) / len(queries)
    return Searches(truth.recall(found), percentile(times, 50), percentile(times, 95), touched)


def timed(operation: Callable[..., object], *arguments: object) -> float:
    """The milliseconds that it takes."""
    started = perf_counter()
    operation(*arguments)
    return (perf_counter() - started) * 1000


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many of a hundred do not exceed."""
    return sorted(times)[-(-len(times) * percent // 100) - 1]
