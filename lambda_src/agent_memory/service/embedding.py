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
from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# As many as the longest text has chunks, so that an attempt which was cut off is gone on with; 8 KB each with 1,024
# dimensions (as tuples they would be four times as large).
_KEPT = 4_200
_AT_ONCE = 8
# A search is not worth more waiting. A long text takes many calls, and the model may refuse some of those for a while.
_ONE_S = 8.0
# A model that was tried for that long is not waited for again at once: under load every request would hold a function.
_RESTS_S = 5.0
_TRIED_S = 1.0


class VectorCache:
    """Vectors that were had lately, by the hash of tenant, model, dimensions and text."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, array[float]] = OrderedDict()

    def get(self, key: bytes) -> Vector | None:
        """What was had, if it is still there."""
        vector = self._kept.get(key)
        if vector is None:
            return None
        self._kept.move_to_end(key)
        return tuple(vector)

    def keep(self, key: bytes, vector: Vector) -> None:
        """Keep one, and forget what nobody asked for longest."""
        self._kept[key] = array("d", vector)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class Embeddings:
    """`Embedder` over a model. `calls` counts the texts that the model was called for, and so does the tally.

    `whose` names the tenant at work: what one tenant had embedded must not be told to another by a quicker answer.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        tally: Tally,
        timeout_s: float,
        whose: Callable[[], str],
        cache: VectorCache | None = None,
    ) -> None:
        self.name = model.name
        self.dimensions = model.dimensions
        self.calls = 0
        self._model = model
        self._tally = tally
        self._timeout_s = timeout_s
        self._whose = whose
        self._cache = cache or VectorCache()
        self._rests_until = 0.0

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order.

        Raises:
            StoreUnavailable: one of them could not be had in time. What the others gave is kept for the next attempt.
            RateLimited: the model would be called more often than the tenant may.
        """
        vectors, failure = self._gathered(texts)
        if failure is not None:
            raise failure
        return [vectors[key] for key in self._keys(texts)]

    def attempt(self, texts: Sequence[str]) -> list[Vector | None]:
        """A vector for each text, in order; None for one that could not be had in time.

        Raises:
            RateLimited: see above.
        """
        vectors, failure = self._gathered(texts)
        if failure is not None and not isinstance(failure, StoreUnavailable):
            raise failure
        return [vectors.get(key) for key in self._keys(texts)]

    def _keys(self, texts: Sequence[str]) -> list[bytes]:
        place = f"{self._whose()}\n{self.name}\n{self.dimensions}\n"
        return [sha256(f"{place}{text}".encode()).digest() for text in texts]

    def _gathered(self, texts: Sequence[str]) -> tuple[dict[bytes, Vector], BaseException | None]:
        """What could be had, by key, and the first failure when there was one."""
        keys = self._keys(texts)
        vectors = {key: vector for key in keys if (vector := self._cache.get(key)) is not None}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
        if not missing:
            return vectors, None
        self._tally.need("embeddings", len(missing))
        had, failure = self._embed_one(missing) if len(missing) == 1 else self._embed_several(missing)
        for key, vector in had.items():
            self._cache.keep(key, vector)
        if isinstance(failure, StoreUnavailable):
            self._rests_until = time.monotonic() + _RESTS_S
        return vectors | had, failure

    def _deadline(self, longest_s: float) -> float:
        now = time.monotonic()
        return now + (min(_TRIED_S, longest_s) if now < self._rests_until else longest_s)

    def _embed_one(self, missing: Mapping[bytes, str]) -> tuple[dict[bytes, Vector], Exception | None]:
        """In the calling thread: most requests embed one text, and another thread would only cost time."""
        ((key, text),) = missing.items()
        self._count(1)
        try:
            return {key: self._model.embed(text, self._deadline(min(_ONE_S, self._timeout_s)))}, None
        except Exception as exc:  # noqa: BLE001 - the caller says what may be missing
            return {}, exc

    def _embed_several(self, missing: Mapping[bytes, str]) -> tuple[dict[bytes, Vector], BaseException | None]:
        """At the same time; after the first failure no further one is begun."""
        from concurrent.futures import FIRST_EXCEPTION, wait  # noqa: PLC0415 - a search does without, and starts sooner

        deadline = self._deadline(self._timeout_s)
        begun = {self._pool.submit(self._model.embed, text, deadline): key for key, text in missing.items()}
        done, rest = wait(begun, return_when=FIRST_EXCEPTION)
        self._count(len(begun) - sum(future.cancel() for future in rest))
        failures = [failure for future in done if (failure := future.exception()) is not None]
        had = {begun[future]: future.result() for future in done if future.exception() is None}
        return had, failures[0] if failures else None

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        return ThreadPoolExecutor(_AT_ONCE)

    def _count(self, calls: int) -> None:
        self.calls += calls
        self._tally.embeddings += calls
