"""Workers as the harness sees them: asked one thing at a time, killed, and started again when they are asked next."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from local.state import ROOT

_START_S = 60.0
_TIMEOUTS_S = {"archiver": 300.0, "sweeper": 840.0}  # as Terraform says; of whoever answers requests, 20 s


class WorkerDied(Exception):
    """It was killed before it answered: nobody knows what it did."""


class HandlerFailed(Exception):
    """The handler raised; what it said is for the harness's reader."""


class Nursery:
    """The process that forks workers, and the socket that they come to."""

    def __init__(self, folder: Path, clock: Path, mutation: str = "none") -> None:
        address = folder / "workers.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(address))
        self._listener.listen()
        environment = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT / 'lambda_src'}:{ROOT}", "HOME": str(folder)}
        command = [sys.executable, "-m", "tests.faults.worker", str(clock), str(address), mutation]
        with (folder / "workers.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
            )

    def start(self, name: str, environment: Mapping[str, str]) -> tuple[int, socket.socket]:
        """Start a worker; its id, and the connection to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"name": name, "environment": dict(environment)}) + "\n")
        self._process.stdin.flush()
        self._listener.settimeout(_START_S)
        wire, _ = self._listener.accept()
        said = json.loads(wire.makefile(encoding="utf-8").readline())
        assert said["name"] == name
        return int(said["pid"]), wire

    def close(self) -> None:
        """End it; workers end when their connections do."""
        self._listener.close()
        with suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait()


class Worker:
    """One function's process; `role` is what its kill points begin with."""

    def __init__(self, nursery: Nursery, role: str, environment: Mapping[str, str]) -> None:
        self.role = role
        self.is_busy = False
        self._nursery = nursery
        self._environment = environment
        self._pid: int | None = None
        self._wire: socket.socket | None = None
        self._stream: IO[str] | None = None

    def ask(self, handler: str, event: Mapping[str, Any]) -> Any:
        """Let a handler answer.

        Raises:
            WorkerDied: it was killed.
            HandlerFailed: it raised.
        """
        self._start()
        assert self._stream is not None
        self.is_busy = True
        try:
            self._stream.write(
                json.dumps({"handler": handler, "event": event, "seconds": _TIMEOUTS_S.get(handler, 20.0)}) + "\n"
            )
            self._stream.flush()
            line = self._stream.readline()
        except OSError:
            line = ""
        finally:
            self.is_busy = False
        if not line:
            self._forget()
            raise WorkerDied
        said = json.loads(line)
        if "failed" in said:
            raise HandlerFailed(said["failed"])
        return said["answer"]

    def kill(self) -> None:
        """End it at once, wherever it is."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """End it and leave nothing behind."""
        self.kill()
        self._forget()

    def _start(self) -> None:
        if self._stream is None:
            self._pid, self._wire = self._nursery.start(self.role, self._environment)
            self._stream = self._wire.makefile("rw", encoding="utf-8")

    def _forget(self) -> None:
        for end in (self._stream, self._wire):
            if end is not None:
                with suppress(OSError):
                    end.close()
        self._pid = self._wire = self._stream = None
