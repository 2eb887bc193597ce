"""`make faults`: 200 seeded runs and what they covered. `make faults SEED=n` replays one.

Exits with 1 when an invariant does not hold, or when a kill point was not hit often enough.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.faults import stores
from tests.faults.kill_points import kills
from tests.faults.run import WRITES, Outcome, run

SEEDS = 200
LEAST_HITS = 20
_AT_ONCE = 5  # of the seeds that share a stand-in, which remembers the streams of tables that are gone
Failure = tuple[int, str]


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many")
    parser.add_argument("--writes", type=int, default=WRITES, help="of each run, at least")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    asked = parser.parse_args(arguments)
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    if asked.seed is not None:
        return _replay(asked.seed, asked.writes)
    started = time.monotonic()
    outcomes, failures = _run_all(asked.seeds, asked.writes, asked.jobs)
    _tell(outcomes, time.monotonic() - started)
    missed = _coverage(sum((each.met for each in outcomes), Counter()), LEAST_HITS * asked.seeds // SEEDS)
    return 1 if failures or missed else 0


def _fail(failures: list[Failure]) -> None:
    for seed, said in failures:
        print(f"FAILED: seed {seed}: {said}\n  again: make faults SEED={seed}")


def _replay(seed: int, writes: int) -> int:
    outcomes, failures = _some([seed], writes)
    for _, said in failures:
        print(said)
    for each in outcomes:
        _tell([each], each.seconds)
        for name, times in sorted(each.met.items()):
            print(f"  {times:>4}  {name}")
    return 1 if failures else 0


def _run_all(seeds: int, writes: int, jobs: int) -> tuple[list[Outcome], list[Failure]]:
    outcomes: list[Outcome] = []
    failures: list[Failure] = []
    with ProcessPoolExecutor(jobs) as pool:
        parts = [range(first, min(first + _AT_ONCE, seeds)) for first in range(0, seeds, _AT_ONCE)]
        for done in as_completed([pool.submit(_some, list(part), writes) for part in parts]):
            good, bad = done.result()
            outcomes += good
            failures += bad
            _fail(bad)
            print(f"  {len(outcomes) + len(failures)} of {seeds} runs, {len(failures)} failed", flush=True)
    return outcomes, failures


def _some(seeds: list[int], writes: int) -> tuple[list[Outcome], list[Failure]]:
    outcomes: list[Outcome] = []
    failures: list[Failure] = []
    with tempfile.TemporaryDirectory(prefix="faults-stand-in-") as folder, stores.stand_in(Path(folder)) as at:
        for seed in seeds:
            try:
                outcomes.append(run(at, seed, writes))
            except Exception as exc:  # noqa: BLE001 - whatever it is, the other seeds go on
                where = traceback.extract_tb(exc.__traceback__)[-1]
                said = "\n".join([f"{type(exc).__name__}: {exc}", *getattr(exc, "__notes__", [])])
                failures.append((seed, f"{said}\n  at {Path(where.filename).name}:{where.lineno}"))
    return outcomes, failures


def _tell(outcomes: list[Outcome], seconds: float) -> None:
    writes, acknowledged = sum(each.writes for each in outcomes), sum(each.acknowledged for each in outcomes)
    least = min((each.writes for each in outcomes), default=0)
    faults = sum(sum(each.met.values()) for each in outcomes)
    print(f"{len(outcomes)} runs kept every invariant: {writes} writes (each run {least} at least), of which")
    print(f"{acknowledged} were acknowledged, and {faults} faults, in {seconds / 60:.1f} minutes")


def _coverage(met: Counter[str], least: int) -> list[str]:
    print(f"\nkill points, and how often a worker was killed there (at least {least}):")
    missed = [name for name in kills() if met[name] < least]
    for name in kills():
        print(f"  {'MISS' if name in missed else '    '} {met[name]:>5}  {name.removeprefix('kill ')}")
    others = Counter({name: times for name, times in met.items() if name not in kills()})
    print("other faults:")
    by_effect = Counter[str]()
    for name, times in others.items():
        by_effect["kill anywhere" if name.startswith("kill") else name.partition(" ")[0]] += times
    for name, times in by_effect.most_common():
        print(f"       {times:>5}  {name}")
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
