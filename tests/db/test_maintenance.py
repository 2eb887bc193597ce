"""What was deleted leaves the disk with the next maintenance."""

from typing import Any

import psycopg
import pytest

from agent_memory.adapters.schema_database import DataApiSchema
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.usage import Tally
from agent_memory.service.maintain import Maintain
from tests.contract.memories import Memories
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora, patience

SECRET = "the code of the safe is seven four one nine"


@pytest.fixture
def memories(migrated: Aurora, tenant: str) -> Memories:
    store = SqlMemoryStore(migrated.as_app(), Tally())
    return Memories(store, lambda: store, tenant, Clock())


def dead(superuser: psycopg.Connection[Any]) -> int:
    """Rows that were deleted and are still on the disk."""
    superuser.execute("SELECT pg_stat_force_next_flush()")
    row = superuser.execute(
        "SELECT sum(pg_stat_get_dead_tuples(oid)) FROM pg_class"
        " WHERE relnamespace = 'memory'::regnamespace AND relkind = 'r'"
    ).fetchone()
    assert row
    return int(row[0])


def test_maintenance_removes_what_was_deleted_and_a_second_one_finds_nothing(
    migrated: Aurora, memories: Memories
) -> None:
    stored = memories.store(SECRET)
    memories.delete(stored.memory.id)
    maintain = Maintain(DataApiSchema(migrated.as_master()), patience(60))

    with migrated.superuser() as superuser:
        superuser.execute("SELECT pg_stat_reset()")  # other tests' rows do not count
        memories.delete(memories.store(SECRET).memory.id)
        while not dead(superuser):  # counted when the session that deleted has ended
            pass

        assert maintain.run() == _tables(superuser)
        assert dead(superuser) == 0
        assert SECRET not in _pages(superuser)


def _tables(superuser: psycopg.Connection[Any]) -> int:
    """How many tables and partitions there are."""
    counted = superuser.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'memory'::regnamespace AND relkind = 'r'"
    ).fetchone()
    assert counted
    assert counted[0] > 16 + 4
    return int(counted[0])


def _pages(superuser: psycopg.Connection[Any]) -> str:
    """The table's file as it lies on the disk."""
    superuser.execute("CHECKPOINT")
    row = superuser.execute("SELECT pg_read_binary_file(pg_relation_filepath('memory.memories'))").fetchone()
    assert row
    return bytes(row[0]).decode("latin-1")


def test_maintenance_needs_no_right_to_read_what_it_cleans(migrated: Aurora) -> None:
    tables = DataApiSchema(migrated.as_master()).tables()

    assert "memories" in tables
    assert "chunks_p15" in tables
    assert "chunks" not in tables
