"""The request and the answer of amazon.titan-embed-text-v2:0, and of a second model that speaks the same form."""

import json
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from local.json_service import Body, ServiceError

MODEL_ID = "amazon.titan-embed-text-v2:0"
NEXT_MODEL_ID = "amazon.titan-embed-text-v2:1"
"""What a deployment can change its model to. It finds the same, by vectors that are near none of the first model's."""

_MAX_CHARACTERS, _MAX_TOKENS = 50_000, 8_192
_DIMENSIONS = (1024, 512, 256)
_TYPES = ("float", "binary")
_KEYS = {"inputText", "dimensions", "normalize", "embeddingTypes"}
_AGAIN = "please reformat your input and try again."


class Model(Protocol):
    """A sentence model."""

    def tokens(self, text: str) -> list[int]:
        """Cut a text into the model's tokens."""

    def embed(self, tokens: list[int]) -> NDArray[np.float32]:
        """Turn all tokens of a text into a vector of unit length."""


def invoke(model: Model, model_id: str, raw: bytes) -> Body:
    """Embed the text of one request."""
    if model_id not in (MODEL_ID, NEXT_MODEL_ID):
        raise invalid("The provided model identifier is invalid.")
    asked = _checked(raw)
    tokens = model.tokens(asked["inputText"])
    if len(tokens) > _MAX_TOKENS:
        words = f"Max input tokens: {_MAX_TOKENS}, request input token count: {len(tokens)}"
        raise invalid(f"400 Bad Request: Too many input tokens. {words}")
    vector = _sized(
        _of(model_id, model.embed(tokens)), asked.get("dimensions", _DIMENSIONS[0]), unit=asked.get("normalize", True)
    )
    by_type = {"float": [round(number, 9) for number in vector.tolist()], "binary": (vector > 0).astype(int).tolist()}
    return {
        "embedding": by_type["float"],
        "inputTextTokenCount": len(tokens),
        "embeddingsByType": {each: by_type[each] for each in asked.get("embeddingTypes", ["float"])},
    }


def invalid(message: str) -> ServiceError:
    """The request is refused as Bedrock refuses one."""
    return ServiceError("ValidationException", message)


def _of(model_id: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The second model turns the space: every other number changes its sign, and all of them their place."""
    if model_id == MODEL_ID:
        return vector
    return vector[::-1] * np.where(np.arange(len(vector)) % 2, -1, 1).astype(np.float32)


def _sized(vector: NDArray[np.float32], dimensions: int, *, unit: bool) -> NDArray[np.float32]:
    """Give a vector Titan's length: zeros behind it keep every cosine, a cut does so only about."""
    if dimensions >= len(vector):
        return np.pad(vector, (0, dimensions - len(vector)))
    cut = vector[:dimensions]
    return cut / np.linalg.norm(cut) if unit else cut


def _checked(raw: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(raw)
    except ValueError:
        raise _malformed("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise _malformed("the body is not an object")
    for key in asked.keys() - _KEYS:
        raise _malformed(f"extraneous key [{key}] is not permitted")
    _check_text(asked.get("inputText"))
    _check_options(asked)
    return asked


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise _malformed("required key [inputText] not found")
    if not text:
        raise _malformed("expected minLength: 1, actual: 0")
    if len(text) > _MAX_CHARACTERS:
        raise _malformed(f"expected maxLength: {_MAX_CHARACTERS}, actual: {len(text)}")


def _check_options(asked: dict[str, Any]) -> None:
    dimensions = asked.get("dimensions", _DIMENSIONS[0])
    if dimensions not in _DIMENSIONS or not isinstance(dimensions, int):
        raise _malformed(f"#/dimensions: {dimensions} is not a valid enum value")
    if not isinstance(asked.get("normalize", True), bool):
        raise _malformed("#/normalize: expected type: Boolean")
    types = asked.get("embeddingTypes", ["float"])
    if not isinstance(types, list) or not types or any(each not in _TYPES for each in types):
        raise _malformed("#/embeddingTypes: not a list of float and binary")


def _malformed(what: str) -> ServiceError:
    return invalid(f"Malformed input request: {what}, {_AGAIN}")
