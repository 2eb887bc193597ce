"""What the stand-ins of AWS services share: JSON over HTTP on loopback, and errors as AWS sends them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

Body = dict[str, Any]


class ServiceError(Exception):
    """An error of a service's model: the name travels in a header, and the words in the body."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


class JsonHandler(ABC, BaseHTTPRequestHandler):
    """Answers requests of one connection, which stays open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body leave in two writes, and a second one would wait 40 ms

    def do_GET(self) -> None:
        """Send what `get` answers."""
        self._respond(self.get)

    def do_POST(self) -> None:
        """Send what `post` answers."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._respond(lambda: self.post(raw))

    def get(self) -> bytes:
        """Answer a GET, which none of the operations is."""
        raise ServiceError("UnknownOperationException", self.path, 404)

    @abstractmethod
    def post(self, raw: bytes) -> bytes:
        """Answer an operation."""

    def _respond(self, answer: Callable[[], bytes]) -> None:
        try:
            self._send(200, answer())
        except ServiceError as error:
            self._send(error.status, json.dumps({"message": error.message}).encode(), error.name)

    def _send(self, status: int, payload: bytes, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: what is sent does not belong into a log."""
