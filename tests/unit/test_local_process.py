"""Background processes are stopped with their workers, strangers never."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local import process
from local.process import Process

LEADER_WITH_WORKER = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(worker.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def leader(tmp_path: Path) -> Iterator[tuple[Process, int]]:
    """A process and the id of its worker."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", LEADER_WITH_WORKER]
    recorded: list[Process] = []
    process.start(command, dict(os.environ), log, tmp_path, recorded.append)
    (started,) = recorded
    while not log.read_text().endswith("\n"):
        assert started.is_alive()
    yield started, int(log.read_text())
    started.stop()


def test_stopping_ends_the_workers_too(leader: tuple[Process, int]) -> None:
    started, worker = leader
    known_worker = process.find(worker)
    assert known_worker.is_alive()

    assert started.stop()

    started.wait_until_reaped()
    assert not started.is_alive()
    assert not known_worker.is_alive()


def test_a_recycled_id_is_left_alone(leader: tuple[Process, int]) -> None:
    started, _ = leader
    stranger = replace(started, started="1")

    assert not stranger.is_alive()
    assert not stranger.stop()
    assert started.is_alive()


def test_a_process_that_ended_by_itself_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        known = process.find(ended.pid)
        ended.wait()

    assert not known.is_alive()
    assert not known.stop()


def test_nothing_runs_that_is_not_on_record(tmp_path: Path) -> None:
    """As when the program that starts it is killed before it could take note."""
    left: list[Process] = []

    def fail(started: Process) -> None:
        left.append(started)
        raise OSError("killed")

    with pytest.raises(OSError, match="killed"):
        process.start(["/bin/sh", "-c", f"touch {tmp_path}/ran"], {}, tmp_path / "log", tmp_path, fail)

    left[0].wait_until_reaped()
    assert not left[0].is_alive()
    assert not (tmp_path / "ran").exists()


def test_lines_are_read_whole_while_they_are_written_and_to_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntw")

    def ends_now() -> bool:
        with log.open("a") as more:
            more.write("o\nthree\n")
        return True

    assert list(process.lines(log, ends_now)) == ["one\n", "two\n", "three\n"]


def test_a_command_line_is_read_and_that_of_nobody_is_empty() -> None:
    command = [sys.executable, "-c", "print(flush=True); input()", "-D /data"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        assert process.command_line(running.pid).strip().endswith("-D /data")
        running.kill()

    assert process.command_line(running.pid) == ""
