"""The port of vectors that come after their text, and of those that make room for the vectors of another model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from agent_memory.domain.chunking import Span
from agent_memory.domain.embedding import Vector


@dataclass(frozen=True, slots=True)
class Lacking:
    """A text as it stands, and how many vectors of which models it has.

    `spans` are the pieces that it was cut into, as far as vectors tell. `pending` are the models that it says it lacks.
    """

    id: str
    revision: int
    content_key: str
    content: str
    pieces: int
    pending: tuple[str, ...]
    has: Mapping[str, int]
    spans: tuple[Span, ...] | None


class Window(NamedTuple):
    """Some memories of a tenant in the order of their ids: how many were looked at, and those that lack vectors.

    `after` is where the next ones begin; None at the end.
    """

    lacking: Sequence[Lacking]
    looked: int
    after: str | None


class Piece(NamedTuple):
    """A piece of a text with its vector by one model."""

    model: str
    ordinal: int
    span: Span
    vector: Vector


class Added(NamedTuple):
    """Whether the text was still there as it was read, and whether it still lacks vectors."""

    there: bool
    awaits: bool


class Compared(NamedTuple):
    """Of `wanted` memories that searches by the old model find, the new one finds `found`; `asked` searches."""

    asked: int
    wanted: int
    found: int
    after: str | None


class Filled(NamedTuple):
    """How many records of a tenant were looked at, how many got the vectors that they lacked, and how many could not.

    `after` is where to go on; None at the end.
    """

    looked: int
    filled: int
    missing: int
    after: str | None


class LateVectors(Protocol):
    """Every method may be repeated, and raises StoreUnavailable when the store does not answer."""

    def read(self, tenant_id: str, ids: Sequence[str], models: Sequence[str], now: datetime) -> Sequence[Lacking]:
        """Those among memories that live, whether they lack anything or not."""

    def window(
        self, tenant_id: str, models: Sequence[str], now: datetime, after: str | None, *, awaiting: bool
    ) -> Window:
        """The next memories; `awaiting` looks only at those that say themselves what they lack."""

    def add(self, tenant_id: str, text: Lacking, spans: int, pieces: Sequence[Piece], gone: Sequence[str]) -> Added:
        """Add vectors of a text that was cut into so many pieces; it need not get any of the models that are `gone`."""

    def compare(self, tenant_id: str, old: str, new: str, now: datetime, after: str | None) -> Compared:
        """What the new model finds of what the old one does, asked by some memories."""

    def remove(self, tenant_id: str, model: str) -> int:
        """Take away some vectors of a model: how many; 0 when none is left and no memory waits for one."""
