"""Vectors of procedures that come after them, in PostgreSQL."""

import json
from collections.abc import Sequence

from agent_memory.adapters.sql_memory_draft import vector_text
from agent_memory.domain.database import Database, Row, Scalar
from agent_memory.domain.procedure_store import InModel, Unembedded

_AT_ONCE = 100
_REMOVED = 2_000
_TIMEOUT_S = 10.0


class SqlProcedureVectors:
    """`ProcedureVectors` on the functions of the schema `memory`; each is one call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def without(self, tenant_id: str, model: str) -> Sequence[Unembedded]:
        """See `ProcedureVectors.without`; up to 100."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "model": model, "at_most": _AT_ONCE}
        return [_read(row) for row in self._database.call("procedures_without", asked, _TIMEOUT_S)]

    def add(self, tenant_id: str, procedure: Unembedded, vectors: InModel) -> None:
        """See `ProcedureVectors.add`."""
        arguments: dict[str, Scalar] = {
            "tenant": tenant_id,
            "agent": procedure.agent_id,
            "procedure": procedure.name,
            "version": procedure.version,
            "model": vectors.model,
            "dimensions": len(vectors.vectors[0]),
            "vectors": "\n".join(map(vector_text, vectors.vectors)),
        }
        self._database.call("add_procedure_vectors", arguments, _TIMEOUT_S)

    def remove(self, tenant_id: str, model: str) -> int:
        """See `ProcedureVectors.remove`; up to 2,000."""
        asked: dict[str, Scalar] = {"tenant": tenant_id, "model": model, "at_most": _REMOVED}
        (row,) = self._database.call("remove_procedure_vectors", asked, _TIMEOUT_S)
        removed = row["vectors"]
        assert isinstance(removed, int)  # noqa: S101 - the column is an integer
        return removed


def _read(row: Row) -> Unembedded:
    version = row["version"]
    assert isinstance(version, int)  # noqa: S101 - the column is an integer
    return Unembedded(str(row["agent_id"]), str(row["name"]), version, json.loads(str(row["phrases"])))
