"""The section of the report: both layouts over the same vectors, then ours alone over the hard ones."""

import os
from collections.abc import Sequence

from bench.report import Line
from bench.vectors import server, writes
from bench.vectors.data import BUCKETS, Dataset, make
from bench.vectors.figures import asked, searched
from bench.vectors.lines import ratio, recall
from bench.vectors.ours import Ours
from bench.vectors.rival import Rival
from bench.vectors.truth import Truth, exact
from local.console import clear_status, status

_P95_RATIO = 1 / 20
_LARGEST = list(BUCKETS)[-1]


def measure() -> list[Line]:
    """Fill a server, measure, and leave nothing behind; BENCH_ROWS=20000 gives a quick look, without large tenants."""
    rows = int(os.environ.get("BENCH_ROWS", "200000"))
    with server.running() as dsn:
        mine, theirs = Ours(server.migrate(dsn)), Rival(dsn)
        try:
            return [*_usual(mine, theirs, rows), *_hard(mine, rows)]
        finally:
            clear_status()


def _usual(mine: Ours, theirs: Rival, rows: int) -> list[Line]:
    data, truths = _made(rows, hard=False)
    status("  vectors: loading")
    theirs.load(data)
    mine.load(data)
    asking = [asked(queries) for queries in data.queries]
    lines = [_hardness("vectors", truths)]
    for queries, questions, truth in zip(data.queries, asking, truths, strict=True):
        where = f"tenants of {queries.bucket} rows"
        status(f"  vectors: searching, {where}")
        here, there = searched((mine, theirs), questions, truth)
        lines += [
            recall(where, here.recall, there.recall),
            ratio(f"search p50, {where}", here.p50, there.p50, "ms"),
            ratio(
                f"search p95, {where}", here.p95, there.p95, "ms", _P95_RATIO if queries.bucket == _LARGEST else None
            ),
            ratio(f"pages of 8 kB a search, {where}", here.pages, there.pages),
        ]
    status("  vectors: building the rival's graph, which its searches never use and its writes keep up")
    lines.append(Line("build of the rival's graph", f"{theirs.build_graph():.0f} s", "", None))
    return lines + writes.measure(mine, theirs, data.queries, asking)


def _hard(mine: Ours, rows: int) -> list[Line]:
    data, truths = _made(rows, hard=True)
    status("  vectors: loading the hard set")
    mine.load(data)
    lines = [_hardness("hard set", truths)]
    for queries, truth in zip(data.queries, truths, strict=True):
        where = f"hard set, tenants of {queries.bucket} rows"
        (found,) = searched((mine,), asked(queries), truth)
        lines += [
            recall(where, found.recall),
            Line(f"search p50, p95, {where}", f"{found.p50:.2f}, {found.p95:.2f} ms", "", None),
        ]
    return lines


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
