"""The three background services of a stack: which of them run, and how the missing ones are started."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from local import console, ministack, postgres, process
from local.ports import Ports, is_open
from local.process import Process
from local.state import ROOT, StackError, State, write_private

START_LIMIT_S = 60.0


def recorded(state: State) -> dict[str, Process]:
    """Return the processes that were started here, running or not."""
    if not state.services_json.exists():
        return {}
    return {name: Process(**each) for name, each in json.loads(state.services_json.read_text()).items()}


def is_alive(state: State, name: str) -> bool:
    """Tell whether a service that was started here still runs."""
    service = recorded(state).get(name)
    return service is not None and service.is_alive()


def ensure_postgres(state: State, ports: Ports) -> str:
    """Start PostgreSQL unless it runs; return its superuser's DSN."""
    pid_file = state.postgres / "data" / "postmaster.pid"
    if not is_alive(state, "postgres"):
        pid_file.unlink(missing_ok=True)  # after a crash it may name a stranger
        console.status("  starting PostgreSQL")
    dsn = postgres.start(state.postgres, ports.postgres)
    _record(state, "postgres", process.find(int(pid_file.read_text().split()[0])))
    _wait(state, "postgres", lambda: is_open(ports.postgres), state.postgres / "data" / "server.log")
    return dsn


def ensure_rds_data(state: State, ports: Ports, dsn: str) -> None:
    """Start the Data API server in front of PostgreSQL unless it runs."""
    log = state.logs / "rds_data.log"
    if not is_alive(state, "rds_data"):
        console.status("  starting the Data API")
        command = [sys.executable, "-m", "local.rds_data", "--port", str(ports.rds_data), "--dsn", dsn]
        _record(state, "rds_data", process.start(command, ministack.credentials(ports), log, ROOT))
    _wait(state, "rds_data", lambda: is_open(ports.rds_data), log)


def ensure_ministack(state: State, ports: Ports) -> None:
    """Start MiniStack unless it runs."""
    if not is_alive(state, "ministack"):
        console.status("  starting MiniStack")
        _record(state, "ministack", ministack.start(state, ports))
    _wait(state, "ministack", lambda: ministack.is_ready(ports), state.logs / "ministack.log")


def _record(state: State, name: str, service: Process) -> None:
    known = {each: asdict(known) for each, known in recorded(state).items()}
    write_private(state.services_json, known | {name: asdict(service)})


def _wait(state: State, name: str, is_ready: Callable[[], bool], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while not is_ready():
        if time.monotonic() > limit or not is_alive(state, name):
            said = "\n".join(log.read_text().splitlines()[-10:]) if log.exists() else ""
            raise StackError(f"{name} did not start; {log} ends with:\n{said}")
        time.sleep(0.05)
