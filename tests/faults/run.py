"""One seeded run: writes and faults, then quiet, then the invariants."""

import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from local.ports import Ports
from tests.faults import invariants, world
from tests.faults.actions import act
from tests.faults.kill_points import arm, prepare

WRITES = 500
_TOLD = 10


@dataclass(frozen=True)
class Outcome:
    """What a run did; `met` counts faults by name, `seen` requests by point."""

    seed: int
    writes: int
    acknowledged: int
    seconds: float
    met: Counter[str]
    seen: Counter[str]


def run(at: Ports, seed: int, writes: int = WRITES, mutation: str = "none") -> Outcome:
    """Run a seed against a stand-in.

    Raises:
        Violation: an invariant does not hold.
        Bug: an answer that no fault explains.
    """
    started = time.monotonic()
    dice = random.Random(f"plan {seed}")  # noqa: S311 - the same seed is the same plan
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    heavy, lanes = dice.choice([0.0, 0.05, 0.5]), dice.choice([1, 1, 4])
    try:
        with world.made(at, folder, seed, heavy=heavy, lanes=lanes, mutation=mutation) as made:
            prepare(made.faults, dice)
            while made.journal.writes < writes:
                arm(made.faults, dice)
                act(made)
            invariants.settle(made)
            invariants.check(made)
            journal, faults = made.journal, made.faults
        seconds = time.monotonic() - started
        return Outcome(seed, journal.writes, journal.acknowledged, seconds, faults.met, faults.seen)
    except Exception as exc:
        exc.add_note("what the workers said last:\n" + "\n".join(_errors(folder)))
        raise
    finally:
        shutil.rmtree(folder)


def _errors(folder: Path) -> list[str]:
    lines = (folder / "workers.log").read_text().splitlines()
    return [line for line in lines if '"ERROR"' in line or "Error" in line][-_TOLD:]
