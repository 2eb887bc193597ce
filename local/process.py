"""Background processes that can be found again and stopped without ever hitting a stranger.

A process is known by its id *and* its start time: ids are reused, the pair is not.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

STOP_LIMIT_S = 10.0
_PAUSE_S = 0.05
_WHEN_TOLD = 'read -r _ && exec "$@" </dev/null'


@dataclass(frozen=True)
class Process:
    """A process that leads a group of its own; its workers are members of that group."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Tell whether this very process still runs."""
        return _start_time(self.pid) == self.started

    def stop(self) -> bool:
        """End the process, which ends its workers, and whoever of its group is left; false when it was gone already."""
        if not self.is_alive():
            return False
        os.kill(self.pid, signal.SIGTERM)  # Terraform needs its provider for an orderly end
        _wait(lambda: not self.is_alive())
        _signal_group(self.pid, signal.SIGKILL)  # and whoever outlived its leader
        return True

    def wait_until_reaped(self) -> None:
        """Wait until the whole group is off the process table, which takes whoever inherited it a moment."""
        _wait(lambda: _is_empty(self.pid))


def start(command: list[str], env: dict[str, str], log: Path, cwd: Path, record: Callable[[Process], None]) -> None:
    """Start a process that outlives this one."""
    # Nobody waits for it, and Python need not complain of that.
    launch(command, env, log, cwd, record).returncode = 0


def launch(
    command: list[str], env: dict[str, str], log: Path, cwd: Path, record: Callable[[Process], None]
) -> subprocess.Popen[bytes]:
    """Start the leader of a new group, writing to a log file.

    It begins its work only when it is on record: whenever this program is killed, nobody unknown is left running.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        started = subprocess.Popen(
            ["/bin/sh", "-c", _WHEN_TOLD, "sh", *command],
            env=env,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with cast("IO[bytes]", started.stdin) as gate:
            record(find(started.pid))
            gate.write(b"\n")
    except BaseException:
        started.wait()  # it ends, for nobody will tell it to begin
        raise
    return started


def find(pid: int) -> Process:
    """Take note of a running process."""
    return Process(pid, _start_time(pid) or "")


def lines(log: Path, is_over: Callable[[], bool]) -> Iterator[str]:
    """Read the lines of a file while somebody writes it."""
    with log.open(encoding="utf-8") as written:
        line = ""
        while True:
            over = is_over()  # asked first: what was written before the end is read after it
            while part := written.readline():
                line += part
                if line.endswith("\n"):
                    yield line
                    line = ""
            if over:
                return
            time.sleep(_PAUSE_S)


def command_line(pid: int) -> str:
    """Return what a process was started with; nothing when it is gone."""
    if not Path("/proc/self/cmdline").exists():
        return _ps("args=", pid)
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


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
        time.sleep(_PAUSE_S)


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
    said = _ps("state=,lstart=", pid)
    return None if not said or said.startswith("Z") else said.partition(" ")[2].strip()


def _ps(columns: str, pid: int) -> str:
    command = ["ps", "-ww", "-o", columns, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
