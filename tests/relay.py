"""A stretch of network between a client and a server, which fails when a test says so."""

import contextlib
import select
import socket
import threading
import time
from typing import Literal

State = Literal["open", "silent", "deaf"]
"""Bytes pass; nothing passes, as when the server hangs; answers do not pass, as when it dies after its work."""


class Relay:
    """Listens on loopback and connects to `port` there; keeps what clients sent."""

    def __init__(self, port: int, *, pace_s: float = 0.0) -> None:
        self._upstream = port
        self._pace_s = pace_s  # with a pace, answers come a byte at a time
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.state: State = "open"
        self.sent = bytearray()
        self.connections = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """End every connection that is there now, on both sides."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Leave nothing behind."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # that is how accept() ends when the listener is shut
            while True:
                client = self._listener.accept()[0]
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._upstream))
                self._pairs.append((client, server))
                self._threads.append(threading.Thread(target=self._serve, args=(client, server), daemon=True))
                self._threads[-1].start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 16 if source is client or not self._pace_s else 1)
                    if not data:
                        return
                    if source is client:
                        self.sent += data
                    else:
                        time.sleep(self._pace_s)
                    if self.state == "open" or (self.state == "deaf" and source is client):
                        (server if source is client else client).sendall(data)
