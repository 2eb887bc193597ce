"""Stop what `up` started, and nothing else."""

import time

from local import ports, postgres, process, services
from local.console import say
from local.state import StackError, State

CLOSE_LIMIT_S = 10.0


def down(state: State) -> None:
    """Stop the services, make sure that their ports are closed, and forget the stack."""
    with state.locked():
        stopped = clean(state)
    say(f"stopped {', '.join(stopped)}; {state.folder} is clean" if stopped else "nothing was running")


def clean(state: State) -> list[str]:
    """Stop and remove; return what was stopped."""
    opened = ports.recorded(state)
    stopped = [name for name in ("terraform", "ministack", "iam", "rds_data", "bedrock") if services.stop(state, name)]
    # PostgreSQL is found by its data: a killed `up` may have started it without taking note.
    server = postgres.pid(state.postgres)
    if server is not None:
        postgres.stop(state.postgres)
        process.find(server).wait_until_reaped()
        stopped.append("postgres")
    _wait_until_closed({name: opened[name] for name in stopped if name in opened})
    state.remove()
    return stopped


def _wait_until_closed(opened: dict[str, int]) -> None:
    limit = time.monotonic() + CLOSE_LIMIT_S
    for name, port in opened.items():
        while ports.is_open(port):
            if time.monotonic() > limit:
                raise StackError(f"{name} was stopped, yet port {port} is still open")
            time.sleep(0.05)
