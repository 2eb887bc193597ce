"""Vectors as a small sentence model makes them, of tenants whose sizes follow Zipf's law; the same on every run.

A vector is the sum of where its tenant stands, what its topic is, and noise whose variance falls from one direction to
the next, as that of real embeddings does. The hard set leaves the tenant out: all tenants then share one space of
topics, so that most neighbours of a query are somebody else's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Halves = NDArray[np.float16]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

DIMENSIONS = 1024
BUCKETS = {
    "< 100": (1, 100),
    "100-300": (100, 300),
    "300-1k": (300, 1000),
    "1k-5k": (1000, 5000),
    "5k-30k": (5000, 30_000),
}
_QUERIES = 200  # of each bucket
_ROWS_PER_TENANT = 400
_TOPICS = 400
# Chosen so that local intrinsic dimension and nearest cosine come out as those of real sentences.
_OF_TENANT, _OF_TOPIC, _OF_NOISE, _COLOUR = 1.0, 0.9, 1.0, 0.65
_STEP = 10_000  # rows made at a time


@dataclass(frozen=True)
class Queries:
    """Held-out vectors of one bucket, and whose they are."""

    bucket: str
    tenants: Integers
    vectors: Halves


@dataclass(frozen=True)
class Dataset:
    """Stored vectors in the order of their writing, tenants mixed; row n belongs to tenant `tenants[n]`."""

    tenants: Integers
    vectors: Halves
    queries: list[Queries]


def make(rows: int, *, hard: bool) -> Dataset:
    """Generate a set; buckets that no tenant falls into are left out."""
    sizes = _sizes(rows, rows // _ROWS_PER_TENANT)
    source = _Source(len(sizes), hard=hard)
    tenants = source.random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.concatenate([source.draw(tenants[start : start + _STEP]) for start in range(0, rows, _STEP)])
    queries = []
    for bucket, (least, limit) in BUCKETS.items():
        members = np.flatnonzero((sizes >= least) & (sizes < limit))
        if len(members):
            asking = source.random.choice(members, _QUERIES)
            queries.append(Queries(bucket, asking, source.draw(asking)))
    return Dataset(tenants, vectors, queries)


def tenant_name(tenant: int) -> str:
    """The id of a tenant."""
    return f"tenant-{tenant:03}"


def _sizes(rows: int, tenants: int) -> Integers:
    """Rows of each tenant, in proportion to 1, 1/2, 1/3 and so on."""
    shares = 1 / np.arange(1, tenants + 1)
    sizes: Integers = np.rint(rows * shares / shares.sum()).astype(np.int64)
    sizes[0] += rows - sizes.sum()
    return sizes


class _Source:
    """Draws vectors of given tenants."""

    def __init__(self, tenants: int, *, hard: bool) -> None:
        self.random = np.random.default_rng(20260101)
        self._scale = (np.arange(1, DIMENSIONS + 1) ** -_COLOUR).astype(np.float32)
        # Turned, so that no number of a vector matters more than another one.
        self._turn = np.linalg.qr(self.random.standard_normal((DIMENSIONS, DIMENSIONS), dtype=np.float32))[0]
        self._topics = _OF_TOPIC * self._coloured(_TOPICS)
        self._offsets = (0 if hard else _OF_TENANT) * self._coloured(tenants)

    def draw(self, tenants: Integers) -> Halves:
        """One vector of unit length for each tenant named."""
        vectors = self._offsets[tenants] + self._topics[self.random.integers(0, _TOPICS, len(tenants))]
        vectors += _OF_NOISE * self._coloured(len(tenants))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        turned: Floats = vectors @ self._turn
        return turned.astype(np.float16)

    def _coloured(self, count: int) -> Floats:
        return self.random.standard_normal((count, DIMENSIONS), dtype=np.float32) * self._scale
