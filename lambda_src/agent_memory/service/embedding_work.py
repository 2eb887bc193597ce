"""What the function `ingest` does for a change of the embedding model: some of one tenant's work each time."""

from collections.abc import Callable
from datetime import datetime

from agent_memory.domain.late_vectors import Compared, Filled, Lacking, LateVectors
from agent_memory.errors import StoreUnavailable
from agent_memory.service.late_vectors import MissingVectors

# In a row: then it is not the text.
_FAILURES = 3


class EmbeddingWork:
    """`Worker` in place."""

    def __init__(self, store: LateVectors, missing: MissingVectors, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._missing = missing
        self._clock = clock

    def fill(self, tenant_id: str, after: str | None) -> Filled:
        """See `Worker.fill`; some memories."""
        window = self._store.window(tenant_id, self._missing.models, self._clock(), after, awaiting=False)
        failures = in_a_row = 0
        self._missing.embed_together(window.lacking)
        for text in window.lacking:
            if self._is_made(tenant_id, text):
                in_a_row = 0
                continue
            failures, in_a_row = failures + 1, in_a_row + 1
            if in_a_row == _FAILURES:
                raise StoreUnavailable("the embedding model did not answer", 5)
        return Filled(window.looked, len(window.lacking) - failures, failures, window.after)

    def compare(self, tenant_id: str, old: str, new: str, after: str | None) -> Compared:
        """See `Worker.compare`."""
        return self._store.compare(tenant_id, old, new, self._clock(), after)

    def remove(self, tenant_id: str, model: str) -> int:
        """See `Worker.remove`."""
        return self._store.remove(tenant_id, model)

    def _is_made(self, tenant_id: str, text: Lacking) -> bool:
        try:
            self._missing.make(tenant_id, [text])
        except StoreUnavailable:
            return False
        return True
