"""A service that speaks REST and JSON: a model that embeds, and that fails on demand."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

Fault = Literal["hang up", "say nothing", "cut answer", "no json"] | tuple[int, str]
"""What happens to a request: no answer, half of one, one in HTML, or a status with the name of an error."""

SECRET_WORDS = "secret words of the service"


class RestService(ThreadingHTTPServer):
    """Answers texts with vectors; the next requests meet the planned faults, one each."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.faults: list[Fault | None] = []
        self.words = SECRET_WORDS
        self.answer: dict[str, Any] = {}
        self.error_in_body = False
        self.vector: Callable[[Any], list[float]] = vector
        self.connections = 0
        self.at_once = 0
        self.most_at_once = 0
        self.gate = threading.Event()  # closed, requests are taken and kept waiting
        self.gate.set()
        self.changed = threading.Condition()

    def enter(self, path: str, headers: dict[str, str], body: Any) -> Fault | None:
        with self.changed:
            self.requests.append((path, headers, body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.changed.notify_all()
            fault = self.faults.pop(0) if self.faults else None
        self.gate.wait()
        return fault

    def leave(self) -> None:
        with self.changed:
            self.at_once -= 1
            self.changed.notify_all()

    def await_requests(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, 30)

    def handle_error(self, *_: Any) -> None:
        """A client that gave up is none."""

    @property
    def texts(self) -> list[str]:
        return [body["inputText"] for _, _, body in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RestService

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fault = self.server.enter(self.path, {name.lower(): value for name, value in self.headers.items()}, request)
        try:
            self._meet(fault, json.dumps(self.server.answer | {"embedding": self.server.vector(request)}).encode())
        finally:
            self.server.leave()

    def _meet(self, fault: Fault | None, answer: bytes) -> None:
        match fault:
            case None:
                self._send(200, answer)
            case "no json":
                self._send(200, b"<html>")
            case "cut answer":
                self._send(200, answer[: len(answer) // 2], promised=len(answer))
                self.close_connection = True
            case "hang up":
                self.close_connection = True
            case "say nothing":
                self.rfile.read(1)  # until the other side gives up
                self.close_connection = True
            case (status, name):
                body = {"message": self.server.words}
                named = {"__type": f"com.amazonaws#{name}"} if self.server.error_in_body else {}
                header = None if self.server.error_in_body else f"{name}:http://internal.amazon.com/"
                self._send(status, json.dumps(named | body).encode(), error=header)

    def _send(self, status: int, body: bytes, promised: int | None = None, error: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body) if promised is None else promised))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def vector(request: Any) -> list[float]:
    """Of the text and of nothing else."""
    return [float(len(str(request.get("inputText")))), *[0.0] * (int(request.get("dimensions", 1)) - 1)]


@contextmanager
def serving(port: int = 0, certificate: tuple[Path, Path] | None = None) -> Iterator[RestService]:
    """Serve until the block ends, with TLS when there is a certificate."""
    service = RestService(port)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        service.socket = context.wrap_socket(service.socket, server_side=True)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.gate.set()
        service.shutdown()
        service.server_close()
        thread.join()
