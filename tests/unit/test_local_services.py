"""Services are found by whoever comes after an `up` that was killed, and keep the password to themselves."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from local import infrastructure, postgres, process, services
from local.down import down
from local.ports import Ports, ports
from local.process import Process
from local.progress import Progress
from local.state import ROOT, State

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
PORTS = Ports(1, 2, 3, 4, 5)


@pytest.fixture
def old_terraform(tmp_path: Path) -> Iterator[Process]:
    """A Terraform that an `up` left behind when it was killed."""
    state = State(tmp_path)
    process.start(
        SLEEPER, dict(os.environ), tmp_path / "log", tmp_path, lambda each: services.record(state, "terraform", each)
    )
    started = services.recorded(state)["terraform"]
    yield started
    started.stop()


def test_down_stops_the_terraform_of_a_killed_up(
    old_terraform: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    down(State(tmp_path))

    assert not old_terraform.is_alive()
    assert "stopped terraform" in capsys.readouterr().out


def test_an_apply_first_stops_the_terraform_of_a_killed_up(
    old_terraform: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infrastructure, "_environment", lambda *_: dict(os.environ))
    asks = [sys.executable, "-c", f"import os; os.kill({old_terraform.pid}, 0)"]

    code = infrastructure._follow(State(tmp_path), asks, PORTS, Progress())

    assert code == 1
    assert "ProcessLookupError" in (tmp_path / "logs" / "terraform.log").read_text()
    assert services.recorded(State(tmp_path)) == {}


def test_an_apply_that_is_interrupted_leaves_no_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure, "_environment", lambda *_: dict(os.environ))
    begun: list[Process] = []

    class Interrupted(Progress):
        def follow(self, lines: object) -> None:
            assert lines
            begun.append(services.recorded(State(tmp_path))["terraform"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        infrastructure._follow(State(tmp_path), SLEEPER, PORTS, Interrupted())

    assert not begun[0].is_alive()


def test_an_interrupted_terraform_may_save_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure, "_environment", lambda *_: dict(os.environ))
    saves = f"trap 'touch {tmp_path}/saved; exit 1' TERM; echo ready; while :; do sleep 0.05; done"

    class Interrupted(Progress):
        def follow(self, lines: Iterable[str]) -> None:
            assert next(iter(lines)) == "ready\n"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        infrastructure._follow(State(tmp_path), ["/bin/sh", "-c", saves], PORTS, Interrupted())

    assert (tmp_path / "saved").exists()


def test_a_postgres_that_is_not_on_record_is_found_by_its_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(tmp_path)
    postgres.start(state.postgres, ports(state).postgres)
    server = process.find(postgres.pid(state.postgres) or 0)
    assert server.is_alive()

    down(state)

    assert not server.is_alive()
    assert "stopped postgres" in capsys.readouterr().out


def test_a_stranger_whose_id_a_crash_left_in_the_pid_file_is_left_alone(tmp_path: Path) -> None:
    state = State(tmp_path)
    with subprocess.Popen(SLEEPER) as stranger:
        pid_file = state.postgres / "data" / "postmaster.pid"
        pid_file.parent.mkdir(parents=True)
        pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n5432\n")

        down(state)

        assert stranger.poll() is None
        stranger.kill()


def test_the_superusers_password_is_not_among_the_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], env: dict[str, str], log: Path, cwd: Path, record: Callable[[Process], None]) -> None:
        given.append((command, env))
        record(process.find(os.getpid()))

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr(services, "is_open", lambda _: True)

    services.ensure_rds_data(State(tmp_path), PORTS, "postgresql://postgres:secret@127.0.0.1:2/postgres")

    ((command, env),) = given
    assert "secret" not in " ".join(command)
    assert env["RDS_DATA_DSN"] == "postgresql://postgres:secret@127.0.0.1:2/postgres"


def test_down_installs_nothing_and_needs_no_environment(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())

    said = subprocess.run(["make", "down"], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout == "nothing was running\n"
