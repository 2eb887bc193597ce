"""The function `ingest` at work on vectors, as an operator has it work: one invocation for each piece."""

from collections.abc import Mapping
from typing import Any, Protocol

from agent_memory.domain.late_vectors import Compared, Filled


class Function(Protocol):
    """A deployed function."""

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its answer; StoreUnavailable when there was none."""


class InvokedWorker:
    """`Worker` by invocations."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def fill(self, tenant_id: str, after: str | None) -> Filled:
        """See `Worker.fill`."""
        return Filled(**self._ask("fill", tenant_id, after=after))

    def compare(self, tenant_id: str, old: str, new: str, after: str | None) -> Compared:
        """See `Worker.compare`."""
        return Compared(**self._ask("compare", tenant_id, old=old, new=new, after=after))

    def remove(self, tenant_id: str, model: str) -> int:
        """See `Worker.remove`."""
        return int(self._ask("remove", tenant_id, model=model)["removed"])

    def _ask(self, do: str, tenant_id: str, **more: str | None) -> dict[str, Any]:
        return dict(self._function.invoke({"embeddings": {"do": do, "tenant_id": tenant_id, **more}}))
