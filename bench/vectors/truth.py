"""The exact neighbours that a search is judged by, and how hard they are to find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.vectors.data import Dataset, Floats, Halves, Integers, Queries

TOP = 10
_AROUND = 20  # neighbours that the local intrinsic dimension is estimated from


@dataclass(frozen=True)
class Truth:
    """For each query of a bucket its nearest rows, and the cosines of its neighbourhood, nearest first."""

    rows: Integers
    cosines: Floats

    def recall(self, found: list[list[int]]) -> float:
        """The part of the nearest rows that the searches found."""
        hits = sum(len(set(mine) & set(true)) for mine, true in zip(found, self.rows.tolist(), strict=True))
        return hits / self.rows.size

    def nearest_cosine(self) -> float:
        """The mean cosine between a query and its nearest row."""
        return float(self.cosines[:, 0].mean())

    def intrinsic_dimension(self) -> float:
        """How many directions a neighbourhood extends in, by the estimator of Levina and Bickel."""
        distances = np.sqrt(2 - 2 * self.cosines)
        return float(1 / np.log(distances[:, -1:] / distances[:, :-1]).mean())


def exact(data: Dataset) -> list[Truth]:
    """Compare every query with every row of its tenant, on the numbers as they are stored."""
    return [exactly(data, asked, np.ones(len(data.tenants), bool)) for asked in data.queries]


def exactly(data: Dataset, asked: Queries, left: NDArray[np.bool_]) -> Truth:
    """Compare queries with those rows of their tenants that are left."""
    rows = np.empty((len(asked.tenants), TOP), np.int64)
    cosines = np.empty((len(asked.tenants), _AROUND), np.float32)
    for tenant in np.unique(asked.tenants):
        mine, stored = np.flatnonzero(asked.tenants == tenant), np.flatnonzero((data.tenants == tenant) & left)
        likeness = _unit(asked.vectors[mine]) @ _unit(data.vectors[stored]).T
        order = np.argsort(-likeness, axis=1)[:, :_AROUND]
        rows[mine] = stored[order[:, :TOP]]
        cosines[mine] = np.take_along_axis(likeness, order, axis=1)
    return Truth(rows, cosines)


def _unit(vectors: Halves) -> Floats:
    wide: Floats = vectors.astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return wide
