"""One table of a run: what was tried by which technique, what leaked, and what could not be run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

HELD, LEAKED, UNPROVEN, NOT_RUN = "held", "leaked", "unproven", "not run"
_VERDICTS = (HELD, LEAKED, UNPROVEN, NOT_RUN)


@dataclass(frozen=True)
class Result:
    """What came of one pair; `said` is what leaked, or why it proves nothing or was not run."""

    place: str
    technique: str
    verdict: str
    said: str = ""


def table(results: Iterable[Result]) -> list[str]:
    """Lines for a terminal."""
    results = list(results)
    counted: dict[str, Counter[str]] = {}
    for result in results:
        counted.setdefault(result.technique, Counter())[result.verdict] += 1
    counted["in all"] = Counter(result.verdict for result in results)
    width = max(map(len, counted))
    lines = [" ".join([" " * width, *(f"{verdict:>8}" for verdict in _VERDICTS)])]
    lines += [
        " ".join([f"{name:{width}}", *(f"{each[verdict]:8}" for verdict in _VERDICTS)])
        for name, each in counted.items()
    ]
    bad = [each for each in results if each.verdict != HELD]
    return [*lines, *(f"{each.verdict}: {each.place} | {each.technique}: {each.said}" for each in bad)]
