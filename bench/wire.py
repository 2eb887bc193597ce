"""A proxy in front of a service that counts what goes over the wire, and what DynamoDB bills for it."""

import json
import re
import threading
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_METERED = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
# Usage counters, and marks of agents and sessions.
_COUNTING = re.compile(r"#(USAGE|AGENTS|AGENT#.*)$")


class Wire:
    """Counts calls by operation and sums write units since the last `reset`."""

    def __init__(self, upstream: str) -> None:
        self.calls: Counter[str] = Counter()
        self.counting_calls = 0
        self.write_units = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, upstream))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients should go."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Start counting anew."""
        self.calls.clear()
        self.counting_calls = 0
        self.write_units = 0.0

    def record(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Count one call and its consumed capacity."""
        self.calls[operation] += 1
        if _is_counting(request):
            self.counting_calls += 1
            return
        consumed = answer.get("ConsumedCapacity", []) if operation in _METERED else []
        for each in consumed if isinstance(consumed, list) else [consumed]:
            self.write_units += each.get("CapacityUnits", 0.0)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def _is_counting(request: dict[str, Any]) -> bool:
    place = request.get("Item") or ("UpdateExpression" in request and request["Key"]) or {}
    return bool(_COUNTING.search(place.get("pk", {}).get("S", "")))


def _document(body: bytes) -> dict[str, Any]:
    """The object of a body; of one that is none, as those of STS are, nothing."""
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _handler(wire: Wire, upstream: str) -> type[BaseHTTPRequestHandler]:
    host = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            operation = self.headers.get("x-amz-target", self.path).rpartition(".")[2]
            sent = self.rfile.read(int(self.headers["content-length"]))
            request = _document(sent)
            if operation in _METERED:
                sent = json.dumps(request | {"ReturnConsumedCapacity": "INDEXES"}).encode()
            headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            connection = HTTPConnection(host)
            connection.request("POST", self.path, sent, headers)
            response = connection.getresponse()
            body = response.read()
            connection.close()
            wire.record(operation, request, _document(body))
            self.send_response(response.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    return Handler
