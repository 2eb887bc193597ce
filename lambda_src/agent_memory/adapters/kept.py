"""Connections that a warm function keeps between requests: opened in time, and looked at before they are used again."""

import select
import socket
import time

# A frozen function sees no connection end. After this long one is given up unseen: opening another costs
# milliseconds, and a request on one that a firewall has forgotten costs its whole time.
_IDLE_LIMIT_S = 60.0


def time_left(deadline: float) -> float:
    """Seconds until a time of time.monotonic(); TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def is_usable(descriptor: int, used_at: float) -> bool:
    """Whether a connection without a request under way may carry one; `used_at` is a time of time.time().

    The wall clock counts, since others may stand still in a frozen function. Whatever there is to read on such a
    connection is its end, or the reason for it.
    """
    if descriptor < 0 or abs(time.time() - used_at) > _IDLE_LIMIT_S:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers; all of them share the time that is left."""
    failure = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(time_left(deadline))
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = error
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
    raise failure
