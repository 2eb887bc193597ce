"""Vectors of texts: each text is embedded once, several at the same time, and what was embedded lately not at all."""

import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from agent_memory.domain.embedding import EmbeddingModel, Vector
from agent_memory.domain.usage import Tally

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# As many as the longest text has chunks, so that an attempt which was cut off is gone on with; 8 KB each with 1,024
# dimensions (as tuples they would be four times as large).
_KEPT = 4_200
_AT_ONCE = 8
# A search is not worth more waiting. A long text takes many calls, and the model may refuse some of those for a while.
_ONE_S = 8.0


class Embeddings:
    """`Embedder` over a model. `calls` counts the texts that the model was called for, and so does the tally.

    `whose` names the tenant at work: what one tenant had embedded must not be told to another by a quicker answer.
    """

    def __init__(self, model: EmbeddingModel, tally: Tally, timeout_s: float, whose: Callable[[], str]) -> None:
        self.name = model.name
        self.dimensions = model.dimensions
        self.calls = 0
        self._model = model
        self._tally = tally
        self._timeout_s = timeout_s
        self._whose = whose
        # All by one model, so tenant and text are the key.
        self._kept: OrderedDict[bytes, array[float]] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order.

        Raises:
            StoreUnavailable: one of them could not be had in time. What the others gave is kept for the next attempt.
            RateLimited: the model would be called more often than the tenant may.
        """
        tenant = self._whose()
        keys = [sha256(f"{tenant}\n{text}".encode()).digest() for text in texts]
        vectors = {key: tuple(self._kept[key]) for key in keys if key in self._kept}
        for key in vectors:
            self._kept.move_to_end(key)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
        if missing:
            self._tally.need("embeddings", len(missing))
        vectors |= self._embed_one(missing) if len(missing) == 1 else self._embed_several(missing)
        return [vectors[key] for key in keys]

    def _embed_one(self, missing: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """In the calling thread: most requests embed one text, and another thread would only cost time."""
        ((key, text),) = missing.items()
        self._count(1)
        vector = self._model.embed(text, time.monotonic() + min(_ONE_S, self._timeout_s))
        self._keep(key, vector)
        return {key: vector}

    def _embed_several(self, missing: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """At the same time; after the first failure no further one is begun."""
        if not missing:
            return {}
        from concurrent.futures import FIRST_EXCEPTION, wait  # noqa: PLC0415 - a search does without, and starts sooner

        deadline = time.monotonic() + self._timeout_s
        begun = {self._pool.submit(self._model.embed, text, deadline): key for key, text in missing.items()}
        done, rest = wait(begun, return_when=FIRST_EXCEPTION)
        self._count(len(begun) - sum(future.cancel() for future in rest))
        vectors = {begun[future]: future.result() for future in done if future.exception() is None}
        for key, vector in vectors.items():
            self._keep(key, vector)
        for future in done:
            future.result()  # raises what the first failure was
        return vectors

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        return ThreadPoolExecutor(_AT_ONCE)

    def _count(self, calls: int) -> None:
        self.calls += calls
        self._tally.embeddings += calls

    def _keep(self, key: bytes, vector: Vector) -> None:
        self._kept[key] = array("d", vector)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
