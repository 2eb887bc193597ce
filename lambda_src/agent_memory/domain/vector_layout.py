"""The port of the indexes that searches for the nearest vectors read."""

from dataclasses import dataclass
from typing import Literal, Protocol

Layout = Literal["hnsw", "quantized"]
State = Literal["absent", "building", "broken", "valid"]


@dataclass(frozen=True)
class Step:
    """One index to be built, and the statement that does."""

    name: str
    statement: str


class VectorIndexes(Protocol):
    """Indexes of the two layouts; each call may die half way, and can be made again."""

    def begin(self, layout: Layout) -> list[Step] | None:
        """Write down what is to be done to come to a layout, and tell what is left; None when it is in force."""

    def progress(self, layout: Layout, step: Step) -> State:
        """Begin a step, or see how far it is: absent says that it is to be built now."""

    def build(self, step: Step) -> None:
        """Build an index. StoreUnavailable when that takes longer than a call: it goes on."""

    def switch(self, layout: Layout) -> bool:
        """Put the layout in force and drop the other, or tell that a step is missing."""

    def end(self) -> None:
        """Give back the rights that building takes."""
