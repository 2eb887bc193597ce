"""Amazon Titan Text Embeddings on Bedrock: one text a call."""

import time
from itertools import count
from typing import Any
from urllib.parse import quote

from agent_memory.adapters.aws_http import NO_ANSWER, AwsError, pause
from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.domain.embedding import Vector
from agent_memory.errors import StoreUnavailable

_ATTEMPT_S = 4.0  # far above what the model takes: a connection that has died must not cost the whole time
_RETRY_AFTER_S = 2
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


class TitanEmbedding:
    """`EmbeddingModel` on InvokeModel; what may pass is tried again until the deadline."""

    def __init__(self, client: AwsRestClient, model_id: str, dimensions: int) -> None:
        self.name = model_id
        self.dimensions = dimensions
        self._client = client
        self._path = f"/model/{quote(model_id, safe='')}/invoke"

    def embed(self, text: str, deadline: float) -> Vector:
        """The text's vector.

        Raises:
            StoreUnavailable: the model was busy or silent until `deadline`.
            AwsError: it refused the request, which is our fault; what it said may quote the text and is left out.
        """
        request = {"inputText": text, "dimensions": self.dimensions, "normalize": True}
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
                return self._vector(answer)
        raise StoreUnavailable("the embedding model did not answer", _RETRY_AFTER_S)

    def _vector(self, answer: dict[str, Any]) -> Vector:
        vector = tuple(answer["embedding"])
        if len(vector) != self.dimensions:
            raise ValueError("the embedding model answered with another number of dimensions")
        return vector
