"""The matrix: every route by every technique that applies to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.isolation.arena import Arena
from tests.isolation.routes import Route, routes

Run = Callable[[Arena, Route], None]


class Applies(Protocol):
    """Whether a technique can be tried on a route."""

    def __call__(self, route: Route, /) -> bool:
        """True where there is something to try."""


@dataclass(frozen=True)
class Technique:
    """One way to attack a route; it raises `Leak` where it gets through."""

    name: str
    applies: Applies
    run: Run


@dataclass(frozen=True)
class Pair:
    """One cell of the matrix."""

    route: Route
    technique: Technique

    def __str__(self) -> str:
        """Its name in reports."""
        return f"{self.route.name} | {self.technique.name}"

    def run(self, arena: Arena) -> None:
        """Attack."""
        self.technique.run(arena, self.route)


TECHNIQUES: list[Technique] = []


def technique(name: str, applies: Applies) -> Callable[[Run], Run]:
    """Add a way to attack to the matrix."""

    def add(run: Run) -> Run:
        TECHNIQUES.append(Technique(name, applies, run))
        return run

    return add


def anything(_route: Route) -> bool:
    """Applies to every route."""
    return True


def pairs() -> list[Pair]:
    """All cells that can be tried."""
    return [Pair(route, each) for route in routes() for each in TECHNIQUES if each.applies(route)]
