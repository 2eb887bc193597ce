"""One clock for the harness and for all of its workers, in a file that they share; it goes where it is told to."""

import mmap
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from agent_memory.domain.times import from_micros, to_micros

_SIZE = 8
_PAUSE_S = 3.0
_TICK = 131  # microseconds that pass whenever somebody looks


class SharedClock:
    """Stands still but for a tick at each look, so that no two looks see the same time unless it is turned back."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _SIZE)

    @classmethod
    def made(cls, path: Path, at: datetime) -> Self:
        """Make the file."""
        path.write_bytes(bytes(_SIZE))
        clock = cls(path)
        clock._write(to_micros(at))
        return clock

    def __call__(self) -> datetime:
        """The time."""
        micros = int.from_bytes(self._memory[:_SIZE], "big")
        self._write(micros + _TICK)
        return from_micros(micros)

    def turn(self, by: timedelta) -> None:
        """Jump, forward or back."""
        self._write(int.from_bytes(self._memory[:_SIZE], "big") + by // timedelta(microseconds=1))

    def _write(self, micros: int) -> None:
        self._memory[:_SIZE] = micros.to_bytes(_SIZE, "big")


def passing(turn: Callable[[timedelta], None], real: Callable[[float], None]) -> Callable[[float], None]:
    """A `time.sleep` whose long sleeps turn a clock; the pauses between two attempts are real."""

    def sleep(seconds: float) -> None:
        if seconds > _PAUSE_S:
            turn(timedelta(seconds=seconds))
        else:
            real(seconds)

    return sleep
