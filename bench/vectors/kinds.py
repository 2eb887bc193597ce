"""What memories are beside their vectors, so that searches can be narrowed by it; in every tenant alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.vectors.data import Dataset
from bench.vectors.layout import AGENT

PURPOSE = "support"
ENTRY = "6f1c7b5e-0000-4000-8000-000000000001"
"""Hash of the metadata that every fourth has."""
ALL = 210
"""After so many memories every combination has come by."""
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = 300
_FROM, _TO = _FIRST + timedelta(days=60), _FIRST + timedelta(days=120)


@dataclass(frozen=True)
class Kind:
    """Of one memory."""

    agent: str
    user: str
    namespace: str
    purposes: list[str]
    at: datetime


def of(number: int) -> Kind:
    """Of the memory of a row. Tenants have rows all over, so numbers are mixed before they are cut."""
    mixed = number * 2_654_435_761 % 2**32 >> 8
    return Kind(
        AGENT if mixed % 2 else "other",
        f"user-{mixed // 2 % 3}",
        "default" if mixed // 6 % 5 else "notes",
        [] if mixed // 30 % 7 else [PURPOSE],
        _FIRST + timedelta(minutes=mixed % (_DAYS * 1440)),
    )


def tagged(data: Dataset) -> list[int]:
    """Rows with the metadata."""
    return [number for number in range(len(data.tenants)) if _tagged(number)]


def _tagged(number: int) -> bool:
    return (number * 2_654_435_761 % 2**32 >> 20) % 4 == 0


FILTERS: dict[str, tuple[dict[str, Any], Callable[[int], bool]]] = {
    "agent": ({"agent_id": AGENT}, lambda number: of(number).agent == AGENT),
    "user": ({"user_id": "user-1"}, lambda number: of(number).user == "user-1"),
    "namespace": ({"namespace": "notes"}, lambda number: of(number).namespace == "notes"),
    "purpose": ({"purpose": None}, lambda number: not of(number).purposes),
    "time": ({"start": _FROM, "end": _TO}, lambda number: _FROM <= of(number).at <= _TO),
    "metadata": ({"entries": (ENTRY,)}, _tagged),
}
"""What a search is narrowed by, and which rows are then left."""


def left(which: str, rows: int) -> NDArray[np.bool_]:
    """For each row, whether a filter leaves it."""
    keeps = FILTERS[which][1]
    return np.fromiter((keeps(number) for number in range(rows)), bool, rows)
