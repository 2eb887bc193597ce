"""The five background services of a stack: which of them run, and how the missing ones are started and stopped."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from local import console, ministack, postgres, process
from local.ports import Ports, is_open
from local.process import Process
from local.state import ROOT, StackError, State, write_private

START_LIMIT_S = 60.0
_EMBEDDING_PYTHON = ROOT / ".venv-embedding" / "bin" / "python"


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
    if not is_alive(state, "postgres"):
        console.status("  starting PostgreSQL")
    dsn = postgres.start(state.postgres, ports.postgres)
    record(state, "postgres", process.find(postgres.pid(state.postgres) or 0))
    _wait(state, "postgres", lambda: is_open(ports.postgres), state.postgres / "data" / "server.log")
    return dsn


def ensure_rds_data(state: State, ports: Ports, dsn: str) -> None:
    """Start the Data API server in front of PostgreSQL unless it runs."""
    log = state.logs / "rds_data.log"
    if not is_alive(state, "rds_data"):
        console.status("  starting the Data API")
        command = [sys.executable, "-m", "local.rds_data", "--port", str(ports.rds_data)]
        environment = ministack.credentials(ports) | {"RDS_DATA_DSN": dsn}  # arguments are for everybody to see
        process.start(command, environment, log, ROOT, partial(record, state, "rds_data"))
    _wait(state, "rds_data", lambda: is_open(ports.rds_data), log)


def ensure_bedrock(state: State, ports: Ports) -> None:
    """Start the Bedrock stand-in unless it runs."""
    log = state.logs / "bedrock.log"
    if not is_alive(state, "bedrock"):
        console.status("  starting the embedding model")
        command = [str(_EMBEDDING_PYTHON), "-m", "local.bedrock", "--port", str(ports.bedrock)]
        process.start(command, {}, log, ROOT, partial(record, state, "bedrock"))
    _wait(state, "bedrock", lambda: is_open(ports.bedrock), log)


def ensure_ministack(state: State, ports: Ports) -> None:
    """Start MiniStack unless it runs."""
    if not is_alive(state, "ministack"):
        console.status("  starting MiniStack")
        ministack.start(state, ports, partial(record, state, "ministack"))
    _wait(state, "ministack", lambda: ministack.is_ready(ports), state.logs / "ministack.log")


def ensure_iam(state: State, ports: Ports) -> None:
    """Start the proxy that judges what functions ask, unless it runs."""
    log = state.logs / "iam.log"
    if not is_alive(state, "iam"):
        console.status("  starting IAM")
        stand_ins = {name: getattr(ports, name.replace("-", "_")) for name in ("ministack", "rds-data", "bedrock")}
        arguments = [f"--{name}={port}" for name, port in stand_ins.items()]
        arguments += [f"--port={ports.iam}", f"--records={state.iam_records}"]
        process.start([sys.executable, "-m", "local.iam", *arguments], {}, log, ROOT, partial(record, state, "iam"))
    _wait(state, "iam", lambda: is_open(ports.iam), log)


def record(state: State, name: str, service: Process) -> None:
    """Take note of a process, so that whoever comes next finds it."""
    _write(state, recorded(state) | {name: service})


def stop(state: State, name: str) -> bool:
    """Stop a process on record, with its group, and strike it off; false when it did not run."""
    known = recorded(state)
    service = known.pop(name, None)
    if service is None:
        return False
    stopped = service.stop()
    if stopped:
        service.wait_until_reaped()
    _write(state, known)
    return stopped


def _write(state: State, known: dict[str, Process]) -> None:
    write_private(state.services_json, {name: asdict(service) for name, service in known.items()})


def _wait(state: State, name: str, is_ready: Callable[[], bool], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while not is_ready():
        if time.monotonic() > limit or not is_alive(state, name):
            said = "\n".join(log.read_text().splitlines()[-10:]) if log.exists() else ""
            raise StackError(f"{name} did not start; {log} ends with:\n{said}")
        time.sleep(0.05)
