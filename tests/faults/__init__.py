"""A proxy in front of moto that fails on demand, as a network and a busy service do."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal["none", "lose answer", "lose request", "cut answer"] | tuple[int, dict[str, Any]]
"""What happens to a request: nothing, a broken connection after or before its effect, or an answer of the service."""


class FaultyService(ThreadingHTTPServer):
    """Passes requests on; the next requests of an operation meet the faults planned for it."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[str] = []
        self._planned: list[tuple[str, Fault]] = []

    def plan(self, operation: str, *faults: Fault) -> None:
        """The next requests of this operation fail, one fault each."""
        self._planned += [(operation, fault) for fault in faults]

    def next_fault(self, operation: str) -> Fault | None:
        self.seen.append(operation)
        for planned in self._planned:
            if planned[0] == operation:
                self._planned.remove(planned)
                return None if planned[1] == "none" else planned[1]
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        fault = self.server.next_fault(self.headers["x-amz-target"].rpartition(".")[2])
        if isinstance(fault, tuple):
            self._answer(fault[0], json.dumps(fault[1]).encode())
            return
        status, answer = (0, b"") if fault == "lose request" else self._forward(body)
        if fault is None:
            self._answer(status, answer)
        elif fault == "cut answer":
            self._answer(status, answer[: len(answer) // 2], promised=len(answer))
        self.close_connection = self.close_connection or fault is not None

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection(str(self.server.upstream.hostname), self.server.upstream.port)
        upstream.request("POST", "/", body, dict(self.headers))
        response = upstream.getresponse()
        answer = response.status, response.read()
        upstream.close()
        return answer

    def _answer(self, status: int, body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def faulty(upstream: str) -> Iterator[FaultyService]:
    """Serve until the block ends."""
    service = FaultyService(upstream)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()
