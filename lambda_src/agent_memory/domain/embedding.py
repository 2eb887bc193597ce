"""Ports of the embedding models: what one call of a model gives, and what the use cases ask for."""

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
    """Vectors of texts by one model, which may have been made before."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order; StoreUnavailable when one of them could not be had in time."""

    def attempt(self, texts: Sequence[str]) -> list[Vector | None]:
        """A vector for each text, in order; None for one that could not be had in time."""


class Embedders(Protocol):
    """The models of the deployment; which they are may change between two pieces of work, never within one."""

    def served(self) -> Embedder:
        """The model that is searched. StoreUnavailable when nobody knows which one that is."""

    def written(self) -> tuple[Embedder, ...]:
        """Those that whatever is stored gets vectors of, first the one that is searched."""


def space(embedder: Embedder) -> str:
    """What names the vectors that may be compared: their model and how many numbers they have."""
    return f"{embedder.name}/{embedder.dimensions}"
