"""Locks go by a hash that nobody can meet on purpose: no tenant waits for another, or learns from waiting."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.database import Database
from agent_memory.domain.usage import Tally
from tests.contract.memories import CASHEWS, Memories
from tests.db.in_transaction import InTransaction
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora

# Made by running PostgreSQL's hash backwards, which takes a second: with them the scope of a store by globex hashes to
# that of acme's agent `planner`, and to the lock of the schema function.
LIKE_ACME = "=p;q2R3H&83!"
LIKE_THE_SCHEMA = "uw+Ibet/L<_."
SCHEMA_LOCK = 6_017_422_351_908_113

Connection = psycopg.Connection[Any]


@pytest.fixture
def open_transaction(migrated: Aurora) -> Iterator[Connection]:
    with psycopg.connect(migrated.app_dsn()) as connection:
        yield connection
        connection.rollback()


def memories(database: Database, tenant: str) -> Memories:
    store = SqlMemoryStore(database, Tally())
    return Memories(store, lambda: store, tenant, Clock())


def plain_hash(connection: Connection, tenant: str, agent: str) -> int:
    row = connection.execute(
        "SELECT hashtextextended(CAST(jsonb_build_array(%s::text, %s::text, null, 'default') AS text), 0)",
        (tenant, agent),
    ).fetchone()
    assert row
    return int(row[0])


def test_the_ids_are_what_they_are_said_to_be(open_transaction: Connection) -> None:
    planner = plain_hash(open_transaction, "acme", "planner")

    assert plain_hash(open_transaction, "globex", LIKE_ACME) == planner
    assert plain_hash(open_transaction, "globex", LIKE_THE_SCHEMA) == SCHEMA_LOCK


def test_a_tenant_cannot_choose_an_id_that_makes_it_wait_for_another(
    migrated: Aurora, open_transaction: Connection
) -> None:
    memories(InTransaction(open_transaction), "acme").store(CASHEWS, agent_id="planner")

    globex = memories(migrated.as_app(), "globex")
    stored = globex.store(CASHEWS, agent_id=LIKE_ACME)  # at once: it would be refused after 1.5 s of waiting

    globex.delete(stored.memory.id)


def test_a_tenant_cannot_choose_an_id_that_holds_a_change_of_the_schema_up(
    migrated: Aurora, open_transaction: Connection
) -> None:
    memories(InTransaction(open_transaction), "globex").store(CASHEWS, agent_id=LIKE_THE_SCHEMA)

    with migrated.superuser() as superuser:
        assert superuser.execute("SELECT pg_try_advisory_xact_lock(%s)", (SCHEMA_LOCK,)).fetchone() == (True,)


def test_two_writers_of_one_scope_still_wait_for_each_other(open_transaction: Connection, migrated: Aurora) -> None:
    memories(InTransaction(open_transaction), "acme").store(CASHEWS, agent_id="planner")

    with psycopg.connect(migrated.app_dsn()) as second, pytest.raises(psycopg.errors.LockNotAvailable):
        memories(InTransaction(second), "acme").store(CASHEWS, agent_id="planner")
