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
    started = process.start(command, dict(os.environ), log, tmp_path)
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
