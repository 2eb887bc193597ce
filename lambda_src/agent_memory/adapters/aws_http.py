"""What the hand-signed clients share: where a service answers, and signed POSTs over kept-alive connections.

The functions on the hot path use these clients in place of boto3, whose import and client cost more than the whole of
their cold start otherwise (docs/adr/0002-signed-requests-on-the-hot-path.md).
"""

import http.client
import json
import math
import os
import random
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from agent_memory.adapters import kept
from agent_memory.adapters.sigv4 import CredentialSource, own_role, signed_headers

NO_ANSWER = (OSError, http.client.HTTPException)
"""What a request raises whose answer did not come, or not whole: nobody knows whether it took effect."""

_CONNECT_TIMEOUT_S = 2.0
_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0
_CHUNK = 1 << 16


class AwsError(Exception):
    """The service refused. `resent` tells that an earlier attempt may already have taken effect."""

    def __init__(self, code: str, status: int, body: dict[str, Any], *, resent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.body = body
        self.resent = resent


@dataclass(frozen=True)
class Answer:
    """What came back; `error` is the name of the error when the status is not 200."""

    status: int
    error: str
    body: dict[str, Any]


def pause(attempt: int, deadline: float = math.inf) -> bool:
    """Wait before an attempt, not before the first one: exponential back-off with full jitter.

    False, at once, when the attempt would begin past `deadline`, a time of time.monotonic().
    """
    longest = min(_BACKOFF_S * 2**attempt, _LONGEST_BACKOFF_S) if attempt else 0.0
    wait = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
    if time.monotonic() + wait >= deadline:
        return False
    if wait:
        time.sleep(wait)
    return True


class AwsClient:
    """One service endpoint. Several threads may use it: each request under way has a connection to itself."""

    def __init__(
        self,
        service: str,
        region: str,
        *,
        signing_name: str | None = None,
        credentials: CredentialSource = own_role,
    ) -> None:
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        own = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        endpoint = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.{domain}"
        self._url = urlsplit(endpoint)
        self._signing_name = signing_name or service
        self._credentials = credentials
        self._region = region
        self._kept: deque[tuple[http.client.HTTPConnection, float]] = deque()

    def __del__(self) -> None:
        """A client that nobody holds any more leaves no connection behind."""
        self._close()

    def _post(self, path: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Answer:
        """Send a request once, to be answered by `deadline`; whatever NO_ANSWER names may be raised."""
        signed = signed_headers(
            self._credentials(deadline),
            service=self._signing_name,
            region=self._region,
            headers={**headers, "host": self._url.netloc},
            body=body,
            path=path,
        )
        connection = self._connection(deadline)
        wire = connection.sock
        try:
            wire.settimeout(kept.time_left(deadline))
            connection.request("POST", path, body, signed)
            with connection.getresponse() as response:
                answer = self._answer(response, _read(response, wire, deadline))
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the service may have said that this was the last one
            self._kept.append((connection, time.time()))
        return answer

    def _answer(self, response: http.client.HTTPResponse, text: bytes) -> Answer:
        """Read an answer; an error may come from something in between that knows no JSON."""
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            if response.status == http.HTTPStatus.OK:
                raise http.client.IncompleteRead(text)
            body = {}
        named = response.headers.get("x-amzn-ErrorType") or str(body.get("__type") or body.get("code") or "")
        return Answer(response.status, named.partition(":")[0].rpartition("#")[2], body)

    def _connection(self, deadline: float) -> http.client.HTTPConnection:
        while self._kept:
            connection, used_at = self._kept.pop()
            if kept.is_usable(connection.sock.fileno(), used_at):
                return connection
            connection.close()
        host, is_tls = str(self._url.hostname), self._url.scheme == "https"
        port = self._url.port or (443 if is_tls else 80)
        opened = kept.connect(host, port, min(deadline, time.monotonic() + _CONNECT_TIMEOUT_S))
        opened.settimeout(kept.time_left(deadline))
        connection = http.client.HTTPConnection(host, port)
        connection.sock = _authorities().wrap_socket(opened, server_hostname=host) if is_tls else opened
        return connection

    def _close(self) -> None:
        """Close what is kept: when one connection broke, the others may have met the same."""
        while self._kept:
            self._kept.pop()[0].close()


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: that takes longer than a handshake."""
    return ssl.create_default_context()


def _read(response: http.client.HTTPResponse, wire: socket.socket, deadline: float) -> bytes:
    """The whole body, however slowly it comes."""
    text = b""
    while response.length != 0 and not response.isclosed():
        wire.settimeout(kept.time_left(deadline))
        text += response.read1(_CHUNK)
    if response.length:
        raise http.client.IncompleteRead(text)
    return text
