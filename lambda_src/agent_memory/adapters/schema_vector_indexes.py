"""Vector indexes as the master user builds them over the Data API (sql/repeatable/054_vector_layouts.sql)."""

from agent_memory.adapters.data_api import DataApi
from agent_memory.adapters.schema_database import DataApiSchemaTransaction
from agent_memory.domain.database import StatementRefused
from agent_memory.domain.vector_layout import Layout, State, Step
from agent_memory.errors import StoreUnavailable

# Another run is building it, or has just given the rights back.
_OTHERS = {"42P07", "42501"}


class DataApiVectorIndexes:
    """`VectorIndexes`."""

    def __init__(self, master: DataApi) -> None:
        self._master = master

    def begin(self, layout: Layout) -> list[Step] | None:
        """See `VectorIndexes.begin`."""
        with self._master.transaction() as begun:
            if not DataApiSchemaTransaction(self._master, begun).lock():
                raise StoreUnavailable("another run is changing the schema", retry_after_s=5)
            (row,) = self._master.execute(
                "SELECT memory_admin.begin_layout(:layout) AS steps", {"layout": layout}, begun
            )
            if not row["steps"]:
                return None
            rows = self._master.execute(
                "SELECT step, statement FROM memory_admin.vector_steps(:layout) WHERE state <> 'valid'",
                {"layout": layout},
                begun,
            )
        return [Step(str(row["step"]), str(row["statement"])) for row in rows]

    def progress(self, layout: Layout, step: Step) -> State:
        """See `VectorIndexes.progress`."""
        (row,) = self._master.execute(
            "SELECT memory_admin.begin_step(:layout, :step) AS state", {"layout": layout, "step": step.name}
        )
        return row["state"]  # type: ignore[return-value]

    def build(self, step: Step) -> None:
        """See `VectorIndexes.build`; no transaction, or nobody could write meanwhile."""
        try:
            self._master.execute(step.statement, {}, outlasts_the_call=True)
        except StatementRefused as error:
            if error.code not in _OTHERS:
                raise
            raise StoreUnavailable("another run is building this index") from None

    def switch(self, layout: Layout) -> bool:
        """See `VectorIndexes.switch`."""
        sql = "SELECT memory_admin.switch_layout(:layout) AS done"
        return bool(self._master.execute(sql, {"layout": layout})[0]["done"])

    def end(self) -> None:
        """See `VectorIndexes.end`."""
        self._master.execute("SELECT memory_admin.inherit_owner(false) AS done", {})
