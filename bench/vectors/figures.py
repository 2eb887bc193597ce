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
    """Ask everything twice, and measure when the caches are warm."""
    for tenant, vector in queries:
        layout.search(tenant, vector)
    before = pages(layout.session)
    found: list[list[int]] = []
    times = [timed(lambda *one: found.append(layout.search(*one)), *query) for query in queries]
    touched = pages(layout.session) - before
    return Searches(truth.recall(found), percentile(times, 50), percentile(times, 95), touched / len(queries))


def timed(operation: Callable[..., object], *arguments: object) -> float:
    """The milliseconds that it takes."""
    started = perf_counter()
    operation(*arguments)
    return (perf_counter() - started) * 1000


def percentile(times: Sequence[float], percent: int) -> float:
    """The time that so many of a hundred do not exceed."""
    return sorted(times)[-(-len(times) * percent // 100) - 1]
