"""Deployed functions, as an operator runs them."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from agent_memory.adapters.aws_http import NO_ANSWER, AwsError
from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.errors import StoreUnavailable

# Longer than any function may run.
_SECONDS = 910.0


def make_client(region: str) -> AwsRestClient:
    """Make the client; it connects at its first call."""
    return AwsRestClient("lambda", region)


class LambdaFunction:
    """`Function` on Lambda; `name` may be an ARN."""

    def __init__(self, client: AwsRestClient, name: str) -> None:
        self._client = client
        self._path = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Function.invoke`; one call, which is not sent again."""
        try:
            answer = self._client.call(self._path, dict(event), time.monotonic() + _SECONDS)
        except AwsError as exc:
            raise StoreUnavailable(f"the function was not run: {exc.code or exc.status}") from None
        except NO_ANSWER:
            raise StoreUnavailable("the function gave no answer; it may run on") from None
        if "errorMessage" in answer:
            raise StoreUnavailable("the function failed; its log says where")
        return answer
