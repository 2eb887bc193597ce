"""Lines of the report: what was measured, against what budget, and whether it holds."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One figure; `holds` is None where there is no budget to compare with."""

    what: str
    measured: str
    budget: str
    holds: bool | None


def show(title: str, lines: list[Line]) -> bool:
    """Print a section; False when a budget is missed."""
    sys.stdout.write(f"\n{title}\n")
    for line in lines:
        mark = {True: "ok  ", False: "MISS", None: "    "}[line.holds]
        sys.stdout.write(f"  {mark} {line.what:<58} {line.measured:>22}   {line.budget}\n")
    sys.stdout.flush()
    return all(line.holds is not False for line in lines)
