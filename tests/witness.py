"""A proxy in front of moto that sees for each call whose session signed it, and whose keys and objects it is about."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

OWN_ROLE = "the function itself"
_TENANTS_KEY = re.compile(r"[a-z0-9-]{1,63}#")
_KEY_CONDITION = re.compile(r"(\w+) = (:\w+)")


@dataclass(frozen=True)
class Seen:
    """One call: who signed it, and the tenants whose records it names."""

    signed_for: str
    operation: str
    about: frozenset[str]


class Witness(ThreadingHTTPServer):
    """Passes everything on. `closed` makes STS refuse."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.sessions: dict[str, str] = {}
        self.seen: list[Seen] = []
        self.closed = False
        self.lock = threading.Lock()

    def handle_error(self, *_: Any) -> None:
        """A client that gave up is none."""

    def taken(self) -> list[Seen]:
        """What was seen since the last time, without STS itself."""
        with self.lock:
            seen, self.seen = self.seen, []
        return [each for each in seen if each.operation != "AssumeRole"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Witness

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        found = re.search(r"Credential=([^/]+)/\d+/[^/]+/(\w+)/", self.headers["authorization"])
        assert found
        access_key, service = found.groups()
        signed_for = self.server.sessions.get(access_key, OWN_ROLE)
        operation, about = _read(service, self.command, self.path, dict(self.headers), body)
        with self.server.lock:
            self.server.seen.append(Seen(signed_for, operation, frozenset(about)))
        if service == "sts" and self.server.closed:
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>", {})
            return
        status, answer, headers = self._forward(body)
        if service == "sts" and (key := re.search(rb"<AccessKeyId>(\w+)<", answer)):
            with self.server.lock:
                self.server.sessions[key[1].decode()] = next(iter(about))
        self._answer(status, answer, headers)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - the names that the server looks for

    def _forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        upstream = http.client.HTTPConnection(str(self.server.upstream.hostname), self.server.upstream.port)
        upstream.request(self.command, self.path, body, dict(self.headers))
        response = upstream.getresponse()
        answer = response.status, response.read(), dict(response.headers)
        upstream.close()
        return answer

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() in {"content-type", "x-amzn-errortype"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _read(service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[str, set[str]]:
    if service == "sts":
        form = parse_qs(body.decode())
        return form["Action"][0], set(form["Tags.member.1.Value"])
    if service == "s3":
        return f"{method} s3", _of_objects(path, body)
    target = {name.lower(): value for name, value in headers.items()}["x-amz-target"]
    return target.rpartition(".")[2], {_tenant_of(key) for key in _keys(json.loads(body))}


def _of_objects(path: str, body: bytes) -> set[str]:
    """The first part of every prefix and name in a request on the bucket."""
    names = parse_qs(urlsplit(path).query).get("prefix", [])
    names += [name.decode() for name in re.findall(rb"<Key>([^<]*)</Key>", body)]
    in_path = unquote(urlsplit(path).path).partition("/")[2].partition("/")[2]
    return {name.partition("/")[0] for name in [*names, *([in_path] if in_path else [])]}


def _keys(request: Any) -> Iterator[str]:
    """Partition keys, of the table and of its indexes, wherever in the request they stand."""
    if isinstance(request, list):
        for each in request:
            yield from _keys(each)
    elif isinstance(request, dict):
        for name, value in request.items():
            if name == "pk" or (name.endswith("_key") and name != "time_key" and "S" in value):
                yield value["S"]
            elif name == "KeyConditionExpression":
                found = _KEY_CONDITION.match(value)
                assert found
                yield request["ExpressionAttributeValues"][found[2]]["S"]
            else:
                yield from _keys(value)


def _tenant_of(key: str) -> str:
    found = _TENANTS_KEY.match(key)
    return found[0][:-1] if found else f"nobody's key: {key}"


@contextmanager
def watching(upstream: str) -> Iterator[Witness]:
    """Serve until the block ends."""
    witness = Witness(upstream)
    thread = threading.Thread(target=witness.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        witness.shutdown()
        witness.server_close()
        thread.join()
