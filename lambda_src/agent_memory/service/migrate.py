"""Bring the database's schema up to date: safe to run twice, at the same time, and after being killed half way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from agent_memory.domain.database import SchemaDatabase, SchemaTransaction, Script, StatementRefused
from agent_memory.domain.migrations import MigrationFailed, due_migrations, due_repeatables
from agent_memory.errors import StoreUnavailable

T = TypeVar("T")
Due = Callable[[Sequence[Script], Mapping[str, str]], list[Script]]


class SchemaLocked(StoreUnavailable):
    """Another run changes the schema."""

    def __init__(self) -> None:
        super().__init__(
            "another run is changing the schema; the lock of one that was killed is freed within 3 minutes",
            retry_after_s=5,
        )


@dataclass(frozen=True)
class Patience:
    """How long a run may wait for a resuming cluster or for another run."""

    deadline: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def until_done(self, step: Callable[[], T]) -> T:
        """Repeat a step that left nothing behind, for as long as its store is unavailable and time remains."""
        while True:
            try:
                return step()
            except StoreUnavailable as error:
                wait = error.retry_after_s or 1
                if self.clock() + wait > self.deadline:
                    raise
                self.sleep(wait)


@dataclass(frozen=True)
class Migrated:
    """What a run did."""

    version: int
    applied: int
    repeatable: int


class Migrate:
    """Applies due scripts, each in one transaction together with its line in the ledger."""

    def __init__(
        self, schema: SchemaDatabase, migrations: Sequence[Script], repeatables: Sequence[Script], patience: Patience
    ) -> None:
        self._schema = schema
        self._migrations = migrations
        self._repeatables = repeatables
        self._patience = patience

    def run(self) -> Migrated:
        """Apply what is due. What another run did in the meantime is not done again."""
        ledger = self._patience.until_done(self._ledger)
        applied = sum(map(self._apply_migration, due_migrations(self._migrations, ledger)))
        ledger = self._patience.until_done(self._ledger) if applied else ledger
        repeated = sum(map(self._apply_repeatable, due_repeatables(self._repeatables, ledger)))
        newest = max((script.version for script in self._migrations), default=0)
        return Migrated(newest, applied, repeated)

    def _ledger(self) -> dict[str, str]:
        with self._schema.transaction() as transaction:
            return dict(transaction.ledger())

    def _apply_migration(self, script: Script) -> bool:
        return self._patience.until_done(lambda: self._apply(script, script.version, due_migrations, self._migrations))

    def _apply_repeatable(self, script: Script) -> bool:
        return self._patience.until_done(lambda: self._apply(script, None, due_repeatables, self._repeatables))

    def _apply(self, script: Script, version: int | None, due: Due, scripts: Sequence[Script]) -> bool:
        with self._schema.transaction() as transaction:
            lock(transaction)
            if script not in due(scripts, transaction.ledger()):
                return False  # another run did it while this one waited
            try:
                for statement in script.statements:
                    transaction.run(statement)
                transaction.record(script, version)
            except StatementRefused as error:
                raise MigrationFailed(script.name, error.code) from None
        return True


def lock(transaction: SchemaTransaction) -> None:
    """Make the transaction the only one that changes the schema, or refuse: waiting inside would meet time limits."""
    if not transaction.lock():
        raise SchemaLocked
