"""Requests to models on Bedrock: what may pass is tried again."""

import time
from itertools import count
from typing import Any
from urllib.parse import quote

from agent_memory.adapters.aws_http import NO_ANSWER, AwsError, pause
from agent_memory.adapters.aws_rest import AwsRestClient

_MAY_PASS = {
    "ModelErrorException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "TooManyRequestsException",
}


def make_client(region: str) -> AwsRestClient:
    """Make the client; it connects at its first call, and once more for each thread that calls at the same time."""
    return AwsRestClient("bedrock-runtime", region, signing_name="bedrock")


class BedrockModel:
    """One model and one way to ask it, `invoke` or `converse`; one attempt takes `attempt_s` seconds at most."""

    def __init__(self, client: AwsRestClient, model_id: str, way: str, attempt_s: float) -> None:
        self._client = client
        self._path = f"/model/{quote(model_id, safe='')}/{way}"
        self._attempt_s = attempt_s

    def answer(self, request: dict[str, Any], deadline: float) -> dict[str, Any] | None:
        """What it answers; None when it was busy or silent until `deadline`.

        Raises:
            AwsError: it refused the request, which is our fault; what it said may quote the text and is left out.
        """
        attempts = count()
        while pause(next(attempts), deadline):
            try:
                return self._client.call(self._path, request, min(deadline, time.monotonic() + self._attempt_s))
            except NO_ANSWER:
                continue
            except AwsError as error:
                if error.status < 500 and error.code not in _MAY_PASS:
                    raise AwsError(error.code, error.status, {}) from None
        return None
