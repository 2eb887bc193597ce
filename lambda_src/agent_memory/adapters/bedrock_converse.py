"""A model that writes, over Converse of Bedrock: one question, one answer."""

import time
from itertools import count
from typing import Any
from urllib.parse import quote

from agent_memory.adapters.aws_http import NO_ANSWER, AwsError, pause
from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.errors import StoreUnavailable

_ATTEMPT_S = 45.0
_RETRY_AFTER_S = 5
_MAY_PASS = {
    "ModelErrorException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "TooManyRequestsException",
}


class ConverseModel:
    """`TextModel` on Converse; what may pass is tried again until the deadline."""

    def __init__(self, client: AwsRestClient, model_id: str, max_tokens: int) -> None:
        self._client = client
        self._path = f"/model/{quote(model_id, safe='')}/converse"
        self._max_tokens = max_tokens

    def ask(self, instruction: str, text: str, deadline: float) -> str:
        """See `TextModel.ask`.

        Raises:
            AwsError: it refused the request, which is our fault; what it said may quote the text and is left out.
        """
        request = {
            "system": [{"text": instruction}],
            "messages": [{"role": "user", "content": [{"text": text}]}],
            "inferenceConfig": {"maxTokens": self._max_tokens, "temperature": 0},
        }
        for attempt in count():
            if not pause(attempt, deadline):
                break
            try:
                answer = self._client.call(self._path, request, min(deadline, time.monotonic() + _ATTEMPT_S))
            except NO_ANSWER:
                continue
            except AwsError as error:
                if error.status < 500 and error.code not in _MAY_PASS:
                    raise AwsError(error.code, error.status, {}) from None
            else:
                return _said(answer)
        raise StoreUnavailable("the summarizer did not answer", _RETRY_AFTER_S)


def _said(answer: dict[str, Any]) -> str:
    """What it wrote; other parts of an answer, such as what a model thought, are none."""
    parts = answer["output"]["message"]["content"]
    return "".join(part["text"] for part in parts if "text" in part)
