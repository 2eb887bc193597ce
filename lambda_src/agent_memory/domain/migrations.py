"""Which SQL scripts are due: migrations run once, in order, frozen; repeatable ones run whenever they change."""

from collections.abc import Mapping, Sequence

from agent_memory.domain.database import Script
from agent_memory.errors import AgentMemoryError


class MigrationFailed(AgentMemoryError):
    """A script did not run; its transaction left nothing behind."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"{name} failed: {code}")


class MigrationChanged(AgentMemoryError):
    """A migration that the database has applied reads differently now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was applied and has been edited since; put it back and add a new migration")


class MigrationOutOfOrder(AgentMemoryError):
    """A migration turned up behind the newest one that was applied."""

    def __init__(self, name: str, newest: str) -> None:
        super().__init__(f"{name} comes before {newest}, which is applied already; give it the next number")


def due_migrations(scripts: Sequence[Script], ledger: Mapping[str, str]) -> list[Script]:
    """Migrations that the database has not seen, in order.

    A ledger that knows more than the scripts is no error: an older release runs on a newer schema.
    """
    applied = [script for script in scripts if script.name in ledger]
    for script in applied:
        if ledger[script.name] != script.sha256:
            raise MigrationChanged(script.name)
    due = [script for script in scripts if script.name not in ledger]
    if due and applied and due[0].version < applied[-1].version:
        raise MigrationOutOfOrder(due[0].name, applied[-1].name)
    return due


def due_repeatables(scripts: Sequence[Script], ledger: Mapping[str, str]) -> list[Script]:
    """Repeatable scripts that are new or changed, in order."""
    return [script for script in scripts if ledger.get(script.name) != script.sha256]
