"""Run the benchmarks, or those that are named; exit 1 when a budget is missed.

All but `archive` and `vectors` run against the local stack.
"""

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from bench.sections import SECTIONS, measure


def main(names: Sequence[str]) -> int:
    """Measure and print."""
    unknown = set(names) - SECTIONS.keys()
    if unknown:
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    held = [_apart(name) for name in names or SECTIONS]
    return 0 if all(held) else 1


def _apart(name: str) -> bool:
    """Measured in a process of its own: a handler keeps the clients that it made for the section before."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(measure, name).result()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
