"""The daily work on the database: what was deleted leaves the disk."""

from agent_memory.domain.database import SchemaDatabase
from agent_memory.service.migrate import Patience


class Maintain:
    """Vacuums every table of the tenants' data.

    PostgreSQL does so by itself for tables that change much; this is for the few rows of a quiet one, so that a
    deletion is physical within a stated time. A table with nothing to remove costs a look.
    """

    def __init__(self, schema: SchemaDatabase, patience: Patience) -> None:
        self._schema = schema
        self._patience = patience

    def run(self) -> int:
        """Vacuum; how many tables."""
        tables = self._patience.until_done(self._schema.tables)
        for table in tables:
            self._patience.until_done(lambda table=table: self._schema.vacuum(table))  # type: ignore[misc]
        return len(tables)
