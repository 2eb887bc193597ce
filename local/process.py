"""Background processes that can be found again and stopped without ever hitting a stranger.

A process is known by its id *and* its start time: ids are reused, the pair is not.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STOP_LIMIT_S = 10.0


@dataclass(frozen=True)
class Process:
    """A process that leads a group of its own; its workers are members of that group."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Tell whether this very process still runs."""
        return _start_time(self.pid) == self.started

    def stop(self) -> bool:
        """End the process and its group; false when it was gone already."""
        if not self.is_alive():
            return False
        _signal_group(self.pid, signal.SIGTERM)
        _wait(lambda: not self.is_alive())
        _signal_group(self.pid, signal.SIGKILL)  # and whoever outlived its leader
        return True

    def wait_until_reaped(self) -> None:
        """Wait until the whole group is off the process table, which takes whoever inherited it a moment."""
        _wait(lambda: _is_empty(self.pid))


def start(command: list[str], env: dict[str, str], log: Path, cwd: Path) -> Process:
    """Start a process that outlives this one, writing to a log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started.returncode = 0  # it is to outlive this program, so nobody waits for it and Python need not complain
    return find(started.pid)


def find(pid: int) -> Process:
    """Take note of a running process."""
    return Process(pid, _start_time(pid) or "")


def _signal_group(pid: int, number: int) -> bool:
    """Signal a group; false when nobody is in it any more."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


def _is_empty(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(-pid, os.WNOHANG)  # reaps, if this very program started it
    return not _signal_group(pid, 0)


def _wait(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + STOP_LIMIT_S
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)


def _start_time(pid: int) -> str | None:
    """Ask the kernel when a process started; a zombie counts as gone."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _start_time_from_ps(pid)
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _start_time_from_ps(pid: int) -> str | None:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return None if not said or said.startswith("Z") else said.partition(" ")[2].strip()
