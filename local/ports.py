"""Free ports on the loopback interface, chosen once per stack."""

import json
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields

from local.state import State, write_private

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One port for each service."""

    ministack: int
    postgres: int
    rds_data: int
    bedrock: int
    iam: int


_NAMES = {field.name for field in fields(Ports)}


def ports(state: State) -> Ports:
    """Return the ports that this stack uses, chosen on first use."""
    if are_chosen(state):
        return Ports(**recorded(state))
    new = Ports(*_free(len(_NAMES)))
    write_private(state.ports_json, asdict(new))
    return new


def are_chosen(state: State) -> bool:
    """Tell whether every service has its port; a stack that an earlier version started lacks some."""
    return recorded(state).keys() == _NAMES


def recorded(state: State) -> dict[str, int]:
    """Return the ports that were chosen here, whatever the services were."""
    chosen: dict[str, int] = json.loads(state.ports_json.read_text()) if state.ports_json.exists() else {}
    return chosen


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
