"""One bucket of queries run through one layout: what was found, how long it took, how many pages it touched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from agent_memory.domain.embedding import Vector
from bench.vectors.data import Queries, tenant_name
from bench.vectors.layout import Layout, pages
from bench.vectors.truth import Truth

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


def searched(layout: Layout, queries: Asked, truth: Truth) -> Searches:
    """Ask everything three times: to warm the caches, and twice for the quicker time, since the machine does more."""
    found = [layout.search(*query) for query in queries]
    before = pages(layout.session)
    rounds = [[timed(layout.search, *query) for query in queries] for _ in range(2)]
    touched = (pages(layout.session) - before) / (2 * len(queries))
    times = [min(pair) for pair in zip(*rounds, strict=True)]
    return Searches(truth.recall(found), percentile(times, 50), percentile(times, 95), touched)


def timed(operation: Callable[..., object], *arguments: object) -> float:
    """The milliseconds that it takes."""
    started = perf_counter()
    operation(*arguments)
    return (perf_counter() - started) * 1000


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many of a hundred do not exceed."""
    return sorted(times)[-(-len(times) * percent // 100) - 1]
