"""Promises taken out of the product, in a worker, to see that the harness misses them."""

from collections.abc import Callable

MUTATIONS: dict[str, Callable[[], None]] = {"none": lambda: None}


def apply(name: str) -> None:
    """Change the product that this process has imported."""
    MUTATIONS[name]()
