"""A model that writes, over Converse of Bedrock: one question, one answer."""

from typing import Any

from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.adapters.bedrock_runtime import BedrockModel
from agent_memory.errors import StoreUnavailable

_ATTEMPT_S = 45.0
_RETRY_AFTER_S = 5


class ConverseModel:
    """`TextModel` on Converse; what may pass is tried again until the deadline."""

    def __init__(self, client: AwsRestClient, model_id: str, max_tokens: int) -> None:
        self._model = BedrockModel(client, model_id, "converse", _ATTEMPT_S)
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
        answer = self._model.answer(request, deadline)
        if answer is None:
            raise StoreUnavailable("the summarizer did not answer", _RETRY_AFTER_S)
        return _said(answer)


def _said(answer: dict[str, Any]) -> str:
    """What it wrote; other parts of an answer, such as what a model thought, are none."""
    parts = answer["output"]["message"]["content"]
    return "".join(part["text"] for part in parts if "text" in part)
