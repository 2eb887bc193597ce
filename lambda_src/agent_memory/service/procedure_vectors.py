"""A change of the embedding model, for procedures: vectors that they lack are made when those of memories are."""

from collections.abc import Sequence

from agent_memory.domain.embedding import Embedder, Embedders, space
from agent_memory.domain.late_vectors import Compared, Filled
from agent_memory.domain.procedure_store import InModel, ProcedureVectors, Unembedded
from agent_memory.errors import StoreUnavailable
from agent_memory.service.reembedding import Worker

# Where a walk over memories stands never begins so.
_PROCEDURES = "procedures"
_RETRY_AFTER_S = 5


class AlsoProcedures:
    """`Worker` for memories, and for procedures when it is through with those."""

    def __init__(self, memories: Worker, store: ProcedureVectors, embedders: Embedders) -> None:
        self._memories = memories
        self._store = store
        self._embedders = embedders

    def fill(self, tenant_id: str, after: str | None) -> Filled:
        """See `Worker.fill`; some memories, or some procedures."""
        if after != _PROCEDURES:
            told = self._memories.fill(tenant_id, after)
            return told if told.after else told._replace(after=_PROCEDURES)
        for embedder in self._embedders.written():
            if lacking := self._store.without(tenant_id, space(embedder)):
                self._make(tenant_id, lacking, embedder)
                return Filled(len(lacking), len(lacking), 0, _PROCEDURES)
        return Filled(0, 0, 0, None)

    def compare(self, tenant_id: str, old: str, new: str, after: str | None) -> Compared:
        """See `Worker.compare`; by memories alone, which are more."""
        return self._memories.compare(tenant_id, old, new, after)

    def remove(self, tenant_id: str, model: str) -> int:
        """See `Worker.remove`."""
        return self._memories.remove(tenant_id, model) or self._store.remove(tenant_id, model)

    def _make(self, tenant_id: str, lacking: Sequence[Unembedded], embedder: Embedder) -> None:
        for procedure in lacking:
            vectors = embedder.attempt(procedure.phrases)
            if None in vectors:  # phrases are short: it is the model, not the text
                raise StoreUnavailable("the embedding model did not answer", _RETRY_AFTER_S)
            known = tuple(vector for vector in vectors if vector is not None)
            if space(embedder) not in map(space, self._embedders.written()):
                return  # not any more: the model took longer than a change of models waits for
            self._store.add(tenant_id, procedure, InModel(space(embedder), known))
