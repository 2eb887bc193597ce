"""Amazon Titan Text Embeddings on Bedrock: one text a call."""

from typing import Any

from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.adapters.bedrock_runtime import BedrockModel
from agent_memory.domain.embedding import Vector
from agent_memory.errors import StoreUnavailable

_ATTEMPT_S = 4.0  # far above what the model takes: a connection that has died must not cost the whole time
_RETRY_AFTER_S = 2


class TitanEmbedding:
    """`EmbeddingModel` on InvokeModel; what may pass is tried again until the deadline."""

    def __init__(self, client: AwsRestClient, model_id: str, dimensions: int) -> None:
        self.name = model_id
        self.dimensions = dimensions
        self._model = BedrockModel(client, model_id, "invoke", _ATTEMPT_S)

    def embed(self, text: str, deadline: float) -> Vector:
        """The text's vector.

        Raises:
            StoreUnavailable: the model was busy or silent until `deadline`.
            AwsError: it refused the request, which is our fault; what it said may quote the text and is left out.
        """
        request = {"inputText": text, "dimensions": self.dimensions, "normalize": True}
        answer = self._model.answer(request, deadline)
        if answer is None:
            raise StoreUnavailable("the embedding model did not answer", _RETRY_AFTER_S)
        return self._vector(answer)

    def _vector(self, answer: dict[str, Any]) -> Vector:
        vector = tuple(answer["embedding"])
        if len(vector) != self.dimensions:
            raise ValueError("the embedding model answered with another number of dimensions")
        return vector
