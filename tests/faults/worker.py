"""A process that runs our handlers as Lambda does, on a clock that jumps; killed and started again at any time.

`python -m tests.faults.worker CLOCK SOCKET MUTATION` imports everything once and then forks a worker for each line of
standard input, `{"name", "environment"}`: each connects to the socket, says its name and its id, and answers one event
after the other. Nothing of the product knows of it; the clock is changed before the product is imported.
"""
# ruff: noqa: PLC0415 - the order of the imports is the point

import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

HANDLERS = ("archiver", "episodic", "privacy", "sweeper", "working")


class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "worker"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:worker"

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may go on."""
        return max(0, int((self._until - time.monotonic()) * 1000))


def main(clock: str, address: str, mutation: str) -> None:
    """Import, then fork as asked until standard input ends."""
    handlers = _import(Path(clock), mutation)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers
    for line in sys.stdin:
        asked = json.loads(line)
        if os.fork() == 0:
            os.environ.update(asked["environment"])
            _serve(asked["name"], address, handlers)
            os._exit(0)


def _import(clock: Path, mutation: str) -> dict[str, ModuleType]:
    from agent_memory.domain import times
    from tests.faults.clock import SharedClock, passing

    shared = SharedClock(clock)
    vars(times)["now"] = shared
    vars(time)["sleep"] = passing(shared.turn, time.sleep)
    handlers = {name: importlib.import_module(f"agent_memory.entrypoints.{name}") for name in HANDLERS}
    for late in ("boto3", "agent_memory.adapters.s3_archive", "agent_memory.adapters.dynamodb_episodes"):
        importlib.import_module(late)  # once here, not in each worker
    from tests.faults import mutations

    _without_a_database()
    mutations.apply(mutation)
    return handlers


def _without_a_database() -> None:
    """A purge goes to PostgreSQL too, where a run has nothing: what happens there is not this harness's."""
    from agent_memory.bootstrap import counting, knowledge, memories
    from tests.fakes.facts import InMemoryFactStore
    from tests.fakes.memories import InMemoryMemoryStore
    from tests.fakes.procedures import InMemoryProcedureStore

    memories.memory_store = lambda: InMemoryMemoryStore(counting.tally())  # type: ignore[assignment]
    knowledge.fact_store = lambda: InMemoryFactStore(counting.tally())  # type: ignore[assignment]
    knowledge.procedure_store = lambda: InMemoryProcedureStore(counting.tally())  # type: ignore[assignment]


def _serve(name: str, address: str, handlers: dict[str, ModuleType]) -> None:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(address)
        stream = wire.makefile("rw", encoding="utf-8")
        stream.write(json.dumps({"name": name, "pid": os.getpid()}) + "\n")
        stream.flush()
        for line in stream:
            stream.write(json.dumps(_answer(json.loads(line), handlers)) + "\n")
            stream.flush()


def _answer(asked: dict[str, Any], handlers: dict[str, ModuleType]) -> dict[str, Any]:
    try:
        return {"answer": handlers[asked["handler"]].handler(asked["event"], Context(asked["seconds"]))}
    except Exception:  # noqa: BLE001 - as Lambda: whatever a function raises is its failure
        return {"failed": traceback.format_exc()}


if __name__ == "__main__":
    main(*sys.argv[1:])
