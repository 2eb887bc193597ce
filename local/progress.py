"""`terraform apply -json`, told to a person: what is being made, how much is done, how long it took."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from local import console

_TICK_S = 1.0
# Data sources are reported in the same way, with the action "read".
_MAKING = {"create", "update", "delete"}


class Progress:
    """Counts finished resources and remembers which are under way."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._planned = 0
        self._done = 0
        self._under_way: dict[str, None] = {}
        self._lock = threading.Lock()
        self.errors: list[str] = []

    def follow(self, lines: Iterable[str]) -> None:
        """Read Terraform's messages to the end."""
        with self._ticking():
            for line in lines:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue
                with self._lock:
                    self._take(message)
                    self._show()
        console.clear_status()

    def summary(self) -> str:
        """Say what was done."""
        return f"{self._done} resources in {self.elapsed_s:.0f} s"

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @contextmanager
    def _ticking(self) -> Iterator[None]:
        """Let the clock go on while Terraform says nothing, which can take a minute."""
        over = threading.Event()
        clock = threading.Thread(target=self._tick, args=(over,), daemon=True)
        clock.start()
        try:
            yield
        finally:
            over.set()
            clock.join()

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(_TICK_S):
            with self._lock:
                self._show()

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "change_summary" if message["changes"]["operation"] == "plan":
                changes = message["changes"]
                self._planned = changes["add"] + changes["change"] + changes["remove"]
            case "apply_start":
                self._under_way[_address(message)] = None
            case "apply_complete":
                self._under_way.pop(_address(message), None)
                self._done += message["hook"]["action"] in _MAKING
            case "apply_errored":
                self._under_way.pop(_address(message), None)
            case "diagnostic" if message["diagnostic"]["severity"] == "error":
                self.errors.append(_explain(message["diagnostic"]))

    def _show(self) -> None:
        names = ", ".join(self._under_way).replace("module.", "").replace("agent_memory.", "")
        counted = f"{self._done}/{self._planned}" if self._planned else "planning"
        console.status(f"  terraform {self.elapsed_s:4.0f} s  {counted}  {names}")


def _address(message: dict[str, Any]) -> str:
    address: str = message["hook"]["resource"]["addr"]
    return address


def _explain(diagnostic: dict[str, Any]) -> str:
    where = diagnostic.get("address", "")
    return "\n  ".join(part for part in (diagnostic["summary"], where, diagnostic.get("detail", "")) if part)
