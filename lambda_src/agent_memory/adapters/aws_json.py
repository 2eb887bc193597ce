"""Clients of AWS services that speak JSON over POST to "/" (DynamoDB, SSM)."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from agent_memory.adapters.aws_http import NO_ANSWER, AwsClient, AwsError, pause
from agent_memory.adapters.sigv4 import CredentialSource, own_role
from agent_memory.errors import StoreUnavailable

_ATTEMPTS = 4
_ATTEMPT_S = 5.0
# No further attempt is begun after this: with its time-out it still ends within a function's 20 s.
_GIVE_UP_S = 8.0
_HURRIED_S = 1.0
_THROTTLED = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
}


class AwsJsonClient(AwsClient):
    """One service endpoint; an operation that may pass is tried several times, for no longer than `patience_s`."""

    def __init__(
        self,
        service: str,
        target_prefix: str,
        region: str,
        *,
        protocol: str,
        credentials: CredentialSource = own_role,
        patience_s: float | None = None,
    ) -> None:
        super().__init__(service, region, credentials=credentials)
        self._patience = (_ATTEMPT_S, _GIVE_UP_S) if patience_s is None else (patience_s / 2, patience_s / 2)
        self._service = service
        self._target_prefix = target_prefix
        self._content_type = f"application/x-amz-json-{protocol}"
        self._hurried = self._aside = self._once = False
        self.calls = 0  # of requests themselves

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Calls within the block are not the request's own, and not counted as such."""
        self._aside = True
        try:
            yield
        finally:
            self._aside = False

    @contextmanager
    def once(self) -> Iterator[None]:
        """Calls within the block must not take effect twice: none is sent again that may have been done."""
        self._once = True
        try:
            yield
        finally:
            self._once = False

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Aside, and within the block a call ends after two seconds at most: for what can be done another time."""
        self._hurried = True
        try:
            with self.aside():
                yield
        finally:
            self._hurried = False

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send one operation; throttling, 5xx and broken connections are tried again with full jitter.

        Raises:
            AwsError: the service refused the request (4xx).
            StoreUnavailable: no answer after all attempts, or no credentials to ask with.
        """
        headers = {"content-type": self._content_type, "x-amz-target": f"{self._target_prefix}.{operation}"}
        body = json.dumps(request).encode()
        self.calls += not self._aside
        resent = False
        attempt_s, give_up_s = (_HURRIED_S, _HURRIED_S) if self._hurried else self._patience
        started = time.monotonic()
        for attempt in range(_ATTEMPTS):
            if not pause(attempt, started + give_up_s):
                break
            try:
                answer = self._post("/", headers, body, time.monotonic() + attempt_s)
            except NO_ANSWER:
                self._close()
                if self._once:
                    break
                resent = True
                continue
            if answer.status == HTTPStatus.OK:
                return answer.body
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and answer.error not in _THROTTLED:
                raise AwsError(answer.error, answer.status, answer.body, resent=resent)
            failed = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            if failed and self._once:
                break
            resent = resent or failed
        raise StoreUnavailable(f"{self._service} did not answer")
