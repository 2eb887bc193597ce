"""Ports of the embedding model: what one call of a model gives, and what the use cases ask for."""

from collections.abc import Sequence
from typing import Protocol

Vector = tuple[float, ...]
"""Of unit length, with as many numbers as the model has dimensions."""


class EmbeddingModel(Protocol):
    """One call of a model per text; may be called from several threads at the same time."""

    name: str
    dimensions: int

    def embed(self, text: str, deadline: float) -> Vector:
        """The text's vector; StoreUnavailable when there is none by `deadline`, a time of time.monotonic()."""


class Embedder(Protocol):
    """Vectors of texts, which may have been made before."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order; StoreUnavailable when one of them could not be had in time."""


def space(embedder: Embedder) -> str:
    """What names the vectors that may be compared: their model and how many numbers they have."""
    return f"{embedder.name}/{embedder.dimensions}"
