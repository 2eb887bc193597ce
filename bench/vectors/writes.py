"""What writing costs in both layouts, each with all its indexes: times, rates and sizes."""

from collections.abc import Sequence

import numpy as np

from agent_memory.adapters.sql_memory_draft import vector_text
from agent_memory.domain.embedding import Vector
from agent_memory.domain.vector_layout import Layout as VectorLayout
from bench.report import Line
from bench.vectors import bulk, ours, rival
from bench.vectors.data import Queries
from bench.vectors.figures import Asked, timed
from bench.vectors.layout import Layout, round_trips
from bench.vectors.lines import ratio
from local.console import status

_SINGLE = 40  # stores in each bucket of tenants
_AT_ONCE = 100
_STATEMENTS = 5
_INSERT = 1 / 10


def measure(
    layout: VectorLayout, mine: ours.Ours, theirs: rival.Rival, queries: Sequence[Queries], asking: Sequence[Asked]
) -> list[Line]:
    """Store the held-out vectors, and remove some of what is stored."""
    lines = []
    spent = np.zeros(2)
    for one in asking[0][_SINGLE : 2 * _SINGLE]:  # what building the rival's graph has pushed out of the caches
        mine.store(*one)
        theirs.store(*one)
    for bucket, questions in zip(queries, asking, strict=True):
        status(f"  vectors: storing with {layout}, tenants of {bucket.bucket} rows")
        times = [(timed(mine.store, *one), timed(theirs.store, *one)) for one in questions[:_SINGLE]]
        spent += np.sum(times, axis=0)
        here, there = np.median(times, axis=0)
        lines.append(ratio(f"{layout}: store p50, tenants of {bucket.bucket} rows", here, there, "ms"))
    one_by_one = _SINGLE * len(queries) * 1000 / spent
    return [
        *lines,
        _inserted(layout, mine, theirs, asking),
        ratio(f"{layout}: memories stored a second, one by one", one_by_one[0], one_by_one[1]),
        ratio(
            f"{layout}: memories stored a second, {_AT_ONCE} at once",
            _rate(mine, asking[-1]),
            _rate(theirs, asking[-1]),
        ),
        *_sizes(layout, mine, theirs),
        _vacuumed(layout, mine, theirs),
        *_trips(layout, mine, theirs, asking[0][-1]),
    ]


def _rate(layout: Layout, questions: Asked) -> float:
    """Memories a second in statements of many, each for one tenant."""
    vectors = [vector for _, vector in questions[-_AT_ONCE:]]
    tenants = [tenant for tenant, _ in questions[:_STATEMENTS]]
    spent = sum(timed(layout.store_many, tenant, vectors) for tenant in tenants)
    return 1000 * len(tenants) * len(vectors) / spent


def _inserted(layout: VectorLayout, mine: ours.Ours, theirs: rival.Rival, asking: Sequence[Asked]) -> Line:
    """A vector's row with its indexes, and nothing else that storing takes, such as writing the vector as text."""
    texts = [(tenant, vector_text(vector)) for tenant, vector in asking[-1][:_SINGLE]]
    times = [(timed(mine.insert, *one), timed(theirs.insert, *one)) for one in texts]
    here, there = np.median(times, axis=0)
    return ratio(f"{layout}: insert of a vector, p50", here, there, "ms", _INSERT if layout == "quantized" else None)


def _vacuumed(layout: VectorLayout, mine: ours.Ours, theirs: rival.Rival) -> Line:
    """The time that it takes to clean up after a twentieth was deleted."""
    here, there = (timed(each.vacuum, each.remove_some()) for each in (mine, theirs))
    return ratio(f"{layout}: vacuum of a twentieth", here / 1000, there / 1000, "s")


def _sizes(layout: VectorLayout, mine: ours.Ours, theirs: rival.Rival) -> list[Line]:
    def line(what: str, method: str) -> Line:
        sizes = [bulk.index_bytes(mine.owner, ours.TABLE, method), bulk.index_bytes(theirs.owner, rival.TABLE, method)]
        return ratio(what, sizes[0] / 1e6, sizes[1] / 1e6, "MB")

    return [
        line(f"{layout}: size of vector graphs", "hnsw"),
        line(f"{layout}: size of all indexes on vectors' tables", "%"),
    ]


def _trips(layout: VectorLayout, mine: Layout, theirs: Layout, question: tuple[str, Vector]) -> list[Line]:
    """Waits for the database alone; what a request waits for beside it is counted with the requests."""
    counts = {
        "search": [round_trips(each.session, each.search, *question) for each in (mine, theirs)],
        "store": [round_trips(each.session, each.store, *question) for each in (mine, theirs)],
    }
    return [
        Line(f"{layout}: database round trips, {what}", f"{here}, rival {there}", "1", here == 1)
        for what, (here, there) in counts.items()
    ]
