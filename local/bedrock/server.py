"""The HTTP server: the routes of InvokeModel and Converse, the switch that throttles it, and the count of its calls."""

import json
import re
import threading
from http.server import ThreadingHTTPServer
from urllib.parse import unquote

from local.bedrock import converse, titan
from local.json_service import Body, JsonHandler, ServiceError

_ROUTE = re.compile(r"/model/([^/]+)/(invoke|converse)")


class BedrockServer(ThreadingHTTPServer):
    """Serves Bedrock Runtime on loopback; while `throttled` is set, every call comes too often."""

    daemon_threads = True

    def __init__(self, port: int, model: titan.Model) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.throttled = False
        self.invocations = 0
        self._model = model
        self._counting = threading.Lock()

    def answer(self, path: str, raw: bytes) -> Body:
        """What the service says to one POST."""
        if path == "/_local/throttled":  # not the service's: how a test meets its limits
            self.throttled = bool(json.loads(raw)["throttled"])
            return {}
        route = _ROUTE.fullmatch(path)
        if route is None:
            raise ServiceError("UnknownOperationException", path, 404)
        with self._counting:
            self.invocations += 1
        if self.throttled:
            raise ServiceError("ThrottlingException", "Too many requests, please wait before trying again.", 429)
        if route[2] == "converse":
            return converse.converse(unquote(route[1]), raw)
        return titan.invoke(self._model, unquote(route[1]), raw)


class _Handler(JsonHandler):
    server: BedrockServer

    def post(self, raw: bytes) -> bytes:
        """InvokeModel, Converse, or the switch."""
        return json.dumps(self.server.answer(self.path, raw)).encode()

    def get(self) -> bytes:
        """How often a model was called, refusals included."""
        if self.path == "/_local/invocations":
            return json.dumps({"count": self.server.invocations}).encode()
        return super().get()
