"""Clients of AWS services that speak REST and JSON (RDS Data, Bedrock)."""

import json
from http import HTTPStatus
from itertools import count
from typing import Any

from agent_memory.adapters.aws_http import AwsClient, AwsError, pause

_HEADERS = {"content-type": "application/json"}


class AwsRestClient(AwsClient):
    """One service endpoint; what may be sent twice is for the caller to know."""

    def call(self, path: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """POST to an already percent-encoded path, once: only where nobody listens is it tried again.

        Raises:
            AwsError: the service refused the request, or failed to do it.
            NO_ANSWER: there was none by `deadline`, or not a whole one.
        """
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        for attempt in count(1):
            try:
                answer = self._post(path, _HEADERS, body, deadline)
                break
            except ConnectionRefusedError:
                if not pause(attempt, deadline):
                    raise
        if answer.status != HTTPStatus.OK:
            raise AwsError(answer.error, answer.status, answer.body)
        return answer.body
