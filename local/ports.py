"""Free ports on the loopback interface, chosen once per stack."""

import json
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from local.state import State, write_private

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One port for each service."""

    ministack: int
    postgres: int
    rds_data: int


def ports(state: State) -> Ports:
    """Return the ports that this stack uses, chosen on first use."""
    if state.ports_json.exists():
        return Ports(**json.loads(state.ports_json.read_text()))
    new = Ports(*_free(3))
    write_private(state.ports_json, asdict(new))
    return new


def _free(count: int) -> list[int]:
    """Ask the system for ports; all are held until the last one is known, so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def is_open(port: int) -> bool:
    """Tell whether somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
