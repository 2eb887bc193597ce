"""Lines of the report: what was measured, against what budget, and whether it holds."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from local.console import clear_status


@dataclass(frozen=True)
class Line:
    """One figure; `holds` is None where there is no budget to compare with."""

    what: str
    measured: str
    budget: str
    holds: bool | None


def show(title: str, lines: Iterable[Line]) -> bool:
    """Print a section, line by line as it is measured; False when a budget is missed."""
    sys.stdout.write(f"\n{title}\n")
    held = True
    for line in lines:
        clear_status()
        held = held and line.holds is not False
        mark = {True: "ok  ", False: "MISS", None: "    "}[line.holds]
        sys.stdout.write(f"  {mark} {line.what:<58} {line.measured:>22}   {line.budget}\n")
        sys.stdout.flush()
    return held
