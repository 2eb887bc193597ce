"""The section of the report: our two layouts and the usual one over the same vectors, then ours over hard ones."""

import os
from collections.abc import Iterator, Sequence

from agent_memory.domain.vector_layout import Layout
from bench.report import Line
from bench.vectors import bulk, filters, server, writes
from bench.vectors.data import BUCKETS, Dataset, make
from bench.vectors.figures import Asked, asked, searched
from bench.vectors.layout import pages
from bench.vectors.lines import most, ratio, recall
from bench.vectors.ours import TABLE, Ours
from bench.vectors.rival import Rival
from bench.vectors.truth import Truth, exact
from local.console import clear_status, status

_P95_RATIO: dict[Layout, float] = {"quantized": 1 / 12, "hnsw": 1 / 20}
_PAGES, _MB = 600, 50  # of the quantised layout; the size for 200,000 vectors
_ROWS = 200_000
_LARGEST = list(BUCKETS)[-1]


def measure() -> Iterator[Line]:
    """Fill a server, measure, and leave nothing behind; BENCH_ROWS=20000 gives a quick look, without large tenants."""
    rows = int(os.environ.get("BENCH_ROWS", str(_ROWS)))
    with server.running() as dsn:
        mine, theirs = Ours(server.migrate(dsn)), Rival(dsn)
        try:
            yield from _usual(mine, theirs, rows)
            yield from _hard(mine, rows)
        finally:
            clear_status()


def _usual(mine: Ours, theirs: Rival, rows: int) -> Iterator[Line]:
    data, truths = _made(rows, hard=False)
    status("  vectors: loading")
    theirs.load(data)
    mine.load(data)
    asking = [asked(queries) for queries in data.queries]
    yield _hardness("vectors", truths)
    for layout in _P95_RATIO:
        yield from _built(layout, mine, rows)
        for queries, questions, truth in zip(data.queries, asking, truths, strict=True):
            yield from _compared(layout, mine, theirs, queries.bucket, questions, truth)
        yield from filters.measure(layout, mine, data, asking)
    status("  vectors: building the rival's graph, which its searches never use and its writes keep up")
    yield Line("build of the rival's graph", f"{theirs.build_graph():.0f} s", "", None)
    for turn, layout in enumerate(reversed(_P95_RATIO)):
        mine.build(layout)
        # What one layout has stored is a near duplicate for the other.
        yield from writes.measure(layout, mine, theirs, data.queries, [questions[turn::2] for questions in asking])


def _built(layout: Layout, mine: Ours, rows: int) -> list[Line]:
    status(f"  vectors: building {layout}")
    seconds = mine.build(layout)
    size = bulk.index_bytes(mine.owner, TABLE, named=f"%{layout}%") / 1e6
    budget = _MB * rows / _ROWS if layout == "quantized" else None
    return [
        Line(f"{layout}: build", f"{seconds:.1f} s", "", None),
        most(f"{layout}: size of its indexes", size, "MB", budget),
    ]


def _compared(layout: Layout, mine: Ours, theirs: Rival, bucket: str, questions: Asked, truth: Truth) -> list[Line]:
    where = f"tenants of {bucket} rows"
    status(f"  vectors: searching {layout}, {where}")
    here, there = searched((mine, theirs), questions, truth)
    largest = bucket == _LARGEST
    return [
        recall(f"{layout}, {where}", here.recall, there.recall),
        ratio(f"{layout}: search p50, {where}", here.p50, there.p50, "ms"),
        ratio(f"{layout}: search p95, {where}", here.p95, there.p95, "ms", _P95_RATIO[layout] if largest else None),
        ratio(f"{layout}: pages of 8 kB a search, {where}", here.pages, there.pages),
        _nearest_pages(layout, mine, where, questions, limited=largest and layout == "quantized"),
    ]


def _nearest_pages(layout: Layout, mine: Ours, where: str, questions: Asked, *, limited: bool) -> Line:
    """Of the search for the nearest ten alone; the lines above count what a request is told of them, too."""
    before = pages(mine.session)
    for question in questions:
        mine.nearest(*question)
    touched = (pages(mine.session) - before) / len(questions)
    return most(f"{layout}: pages to find the nearest, {where}", touched, "", _PAGES if limited else None)


def _hard(mine: Ours, rows: int) -> Iterator[Line]:
    data, truths = _made(rows, hard=True)
    status("  vectors: loading the hard set")
    mine.load(data)
    yield _hardness("hard set", truths)
    for layout in _P95_RATIO:
        mine.build(layout)
        for queries, truth in zip(data.queries, truths, strict=True):
            where = f"{layout}, hard set, tenants of {queries.bucket} rows"
            status(f"  vectors: searching {where}")
            (found,) = searched((mine,), asked(queries), truth)
            yield recall(where, found.recall)
            yield Line(f"search p50, p95, {where}", f"{found.p50:.2f}, {found.p95:.2f} ms", "", None)


def _made(rows: int, *, hard: bool) -> tuple[Dataset, list[Truth]]:
    status("  vectors: generating")
    data = make(rows, hard=hard)
    return data, exact(data)


def _hardness(which: str, truths: Sequence[Truth]) -> Line:
    """How far from trivial the data are; tenants of the two smallest buckets have too few rows to tell."""
    telling = truths[2:]
    dimension = sum(truth.intrinsic_dimension() for truth in telling) / len(telling)
    cosine = sum(truth.nearest_cosine() for truth in telling) / len(telling)
    return Line(f"{which}: local intrinsic dimension, nearest cosine", f"{dimension:.1f}, {cosine:.2f}", "", None)
