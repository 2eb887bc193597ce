"""Searches that are narrowed: what they find of what is left, and their time beside that of the same search without."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from agent_memory.domain.vector_layout import Layout
from bench.report import Line
from bench.vectors import kinds
from bench.vectors.data import Dataset
from bench.vectors.figures import Asked, timed
from bench.vectors.lines import RECALL
from bench.vectors.ours import Ours
from bench.vectors.truth import exactly
from local.console import status

_ASKED = 40  # of each bucket
_SLOWER = 2
_TURNS = 5


def measure(layout: Layout, mine: Ours, data: Dataset, asking: Sequence[Asked]) -> list[Line]:
    """One line for each filter and bucket in which ten memories are left, whatever the filter."""
    lines = []
    for which, (narrowed, _) in kinds.FILTERS.items():
        left = kinds.left(which, len(data.tenants))
        for queries, questions in list(zip(data.queries, asking, strict=True))[2:]:
            where = f"{layout}: by {which}, tenants of {queries.bucket} rows"
            status(f"  vectors: {where}")
            few = type(queries)(queries.bucket, queries.tenants[:_ASKED], queries.vectors[:_ASKED])
            truth = exactly(data, few, left)
            plain, narrow = _times(mine, questions[:_ASKED], narrowed)
            found = truth.recall([mine.search(*one, **narrowed) for one in questions[:_ASKED]])
            slower = float(np.median(narrow) / np.median(plain))
            holds = found >= RECALL and slower <= _SLOWER
            budget = f">= {RECALL}, <= {_SLOWER} x the time"
            lines.append(Line(where, f"{found:.3f}, {slower:.2f} x", budget, holds))
    return lines


def _times(mine: Ours, questions: Asked, narrowed: dict[str, Any]) -> tuple[list[float], list[float]]:
    """The quickest of each search, plain and narrowed by turns."""
    plain, narrow = ([float("inf")] * len(questions) for _ in range(2))
    for _ in range(_TURNS):
        for place, one in enumerate(questions):
            plain[place] = min(plain[place], timed(mine.search, *one))
            narrow[place] = min(narrow[place], timed(partial(mine.search, **narrowed), *one))
    return plain, narrow
