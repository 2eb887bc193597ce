"""A signed client for AWS services that speak JSON over POST (DynamoDB, SSM).

The functions on the hot path use this in place of boto3, whose import and client cost more than the whole of
their cold start otherwise (docs/adr/0002-signed-requests-on-the-hot-path.md). Not thread-safe: a Lambda
environment serves one request at a time.
"""

import http.client
import json
import os
import random
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from agent_memory.adapters.sigv4 import Credentials, signed_headers
from agent_memory.errors import StoreUnavailable

_CONNECT_TIMEOUT_S = 2.0
_READ_TIMEOUT_S = 5.0
_ATTEMPTS = 4
# No further attempt is begun after this: with its time-outs it still ends within a function's 20 s.
_GIVE_UP_S = 8.0
_BACKOFF_S = 0.05
_THROTTLED = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
}


class AwsError(Exception):
    """The service refused. `resent` tells that an earlier attempt may already have taken effect."""

    def __init__(self, code: str, body: dict[str, Any], *, resent: bool) -> None:
        super().__init__(code)
        self.code = code
        self.body = body
        self.resent = resent


def pause(attempt: int) -> None:
    """Wait before an attempt, not before the first one: exponential back-off with full jitter."""
    if attempt:
        time.sleep(random.uniform(0, _BACKOFF_S * 2**attempt))  # noqa: S311 - jitter, not a secret


class AwsJsonClient:
    """One service endpoint over one kept-alive connection, opened at the first call."""

    def __init__(self, service: str, target_prefix: str, region: str, *, protocol: str) -> None:
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.{domain}"
        self._url = urlsplit(endpoint)
        self._service = service
        self._target_prefix = target_prefix
        self._region = region
        self._content_type = f"application/x-amz-json-{protocol}"
        self._connection: http.client.HTTPConnection | None = None
        self.calls = 0

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send one operation; throttling, 5xx and broken connections are tried again with full jitter.

        Raises:
            AwsError: the service refused the request (4xx).
            StoreUnavailable: no answer after all attempts.
        """
        body = json.dumps(request).encode()
        self.calls += 1
        resent = False
        started = time.monotonic()
        for attempt in range(_ATTEMPTS):
            pause(attempt)
            if time.monotonic() - started > _GIVE_UP_S:
                break
            try:
                status, answer = self._send(operation, body)
            except (OSError, http.client.HTTPException):
                self._close()
                resent = True
                continue
            if status == http.HTTPStatus.OK:
                return answer
            code = str(answer.get("__type", "")).rpartition("#")[2]
            if status < http.HTTPStatus.INTERNAL_SERVER_ERROR and code not in _THROTTLED:
                raise AwsError(code, answer, resent=resent)
            resent = resent or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        raise StoreUnavailable(f"{self._service} did not answer")

    def _send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = signed_headers(
            Credentials.from_environment(),
            service=self._service,
            region=self._region,
            host=self._url.netloc,
            headers={
                "content-type": self._content_type,
                "x-amz-target": f"{self._target_prefix}.{operation}",
            },
            body=body,
        )
        connection = self._connection or self._connect()
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.will_close:
            self._close()
        return response.status, _answer(response.status, text)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = str(self._url.hostname), self._url.port
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=_CONNECT_TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=_CONNECT_TIMEOUT_S)
        connection.connect()
        connection.sock.settimeout(_READ_TIMEOUT_S)
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer(status: int, text: bytes) -> dict[str, Any]:
    """Read an answer; an error may come from something in between that knows no JSON."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if status == http.HTTPStatus.OK:
        raise http.client.IncompleteRead(text)
    return {}
