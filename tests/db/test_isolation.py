"""Row-level security as the application's own role meets it."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege, UniqueViolation

from tests.fix_postgres import Aurora

MEMORY = uuid.UUID(int=1)
STORE = (
    "INSERT INTO memory.memories (tenant_id, memory_id, agent_id, content, occurred_at, created_at, updated_at,"
    " chunk_count) VALUES (%s, %s, 'planner', 'likes tea', now(), now(), now(), 1)"
)
CHUNK = (
    "INSERT INTO memory.chunks (tenant_id, memory_id, ordinal, agent_id, namespace_key, user_key, session_key,"
    " purpose_mask, occurred_at, starts_at, ends_at, model, dimensions, embedding) VALUES (%s, %s, 0, 'planner', 1,"
    " 0, 0, 0, now(), 0, 9, 'test', 1024, array_fill(1, ARRAY[1024])::real[]::vector::halfvec(1024))"
)
POSTING = (
    "INSERT INTO memory.postings (tenant_id, lexeme, agent_key, namespace_key, memory_id, ordinal, tf, length)"
    " VALUES (%s, 7, 1, 1, %s, 0, 1, 2)"
)
TABLES = ("memories", "memory_revisions", "chunks", "postings", "metadata_entries", "answers")

Connection = psycopg.Connection[Any]


@pytest.fixture
def app(migrated: Aurora) -> Iterator[Connection]:
    """The application, in a transaction that is thrown away."""
    with psycopg.connect(migrated.app_dsn()) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(migrated: Aurora) -> Iterator[Connection]:
    """The owner of the tables, as the master user becomes it."""
    master = make_conninfo(migrated.superuser_dsn, dbname="memory", user="root1", password="correct horse")
    with psycopg.connect(master) as connection:
        connection.execute("SET LOCAL ROLE memory_owner")
        yield connection
        connection.rollback()


def enter(connection: Connection, tenant: str) -> None:
    connection.execute("SELECT memory.enter_tenant(%s)", (tenant,))


def count(connection: Connection, table: str = "memories") -> int:
    row = connection.execute(f"SELECT count(*) FROM memory.{table}").fetchone()  # noqa: S608 (a name from this file)
    assert row
    return int(row[0])


def test_a_tenant_sees_what_it_stored_and_another_sees_nothing(app: Connection) -> None:
    enter(app, "acme")
    app.execute(STORE, ("acme", MEMORY))
    app.execute(CHUNK, ("acme", MEMORY))
    app.execute(POSTING, ("acme", MEMORY))
    assert (count(app), count(app, "chunks"), count(app, "postings")) == (1, 1, 1)

    enter(app, "globex")
    assert (count(app), count(app, "chunks"), count(app, "postings")) == (0, 0, 0)


@pytest.mark.parametrize("table", TABLES)
def test_without_a_tenant_nothing_is_seen(app: Connection, table: str) -> None:
    assert count(app, table) == 0


def test_a_tenant_that_was_left_is_not_remembered_by_the_connection(app: Connection) -> None:
    enter(app, "acme")
    app.execute(STORE, ("acme", MEMORY))
    app.commit()

    assert count(app) == 0  # the setting reads as '' now, not as null

    enter(app, "acme")
    app.execute("DELETE FROM memory.memories")
    app.commit()


@pytest.mark.parametrize("statement", [STORE, CHUNK, POSTING])
def test_rows_for_another_tenant_are_refused(app: Connection, statement: str) -> None:
    enter(app, "acme")
    values = ("globex", MEMORY, MEMORY)[: statement.count("%s")]

    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        app.execute(statement, values)


def test_rows_without_any_tenant_are_refused(app: Connection) -> None:
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        app.execute(STORE, ("acme", MEMORY))


def test_two_tenants_may_use_one_id_without_learning_of_it(app: Connection) -> None:
    enter(app, "acme")
    app.execute(STORE, ("acme", MEMORY))
    enter(app, "globex")
    app.execute(STORE, ("globex", MEMORY))

    with pytest.raises(UniqueViolation):
        app.execute(STORE, ("globex", MEMORY))


def test_deleting_a_memory_deletes_its_chunks_and_postings(app: Connection) -> None:
    enter(app, "acme")
    app.execute(STORE, ("acme", MEMORY))
    app.execute(CHUNK, ("acme", MEMORY))
    app.execute(POSTING, ("acme", MEMORY))
    app.execute("DELETE FROM memory.memories WHERE tenant_id = 'acme'")

    assert (count(app, "chunks"), count(app, "postings")) == (0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memory.memories SET tenant_id = 'globex'",
        "UPDATE memory.chunks SET namespace_key = 2",
        "UPDATE memory.postings SET tf = 2",
        "SELECT * FROM memory.postings_p00",
        "UPDATE memory.memory_revisions SET content = ''",
        "SELECT * FROM memory.chunks_p00",
        "TRUNCATE memory.memories",
        "ALTER TABLE memory.memories DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE memory.memories NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY memories_tenant ON memory.memories",
        "CREATE TABLE memory.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "SET ROLE memory_owner",
        "SET ROLE memory_migrator",
        "UPDATE memory_admin.ledger SET version = 1",
        "SELECT memory_admin.set_login('memory_app', NULL)",
        "ALTER ROLE memory_app BYPASSRLS",
        "SET row_security = off; SELECT * FROM memory.memories",
    ],
)
def test_the_application_cannot_widen_what_it_may_do(app: Connection, statement: str) -> None:
    enter(app, "acme")

    with pytest.raises(InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.parametrize("tenant", ["", "Acme", "acme\n", "a" * 64, "a'; --", None])
def test_what_is_no_tenant_id_cannot_be_entered(app: Connection, tenant: str | None) -> None:
    with pytest.raises(InsufficientPrivilege, match="not a tenant"):
        app.execute("SELECT memory.enter_tenant(%s)", (tenant,))


def test_the_owner_obeys_row_level_security(app: Connection, owner: Connection) -> None:
    enter(app, "acme")
    app.execute(STORE, ("acme", MEMORY))
    app.commit()

    assert count(owner) == 0
    enter(owner, "acme")
    assert count(owner) == 1
    owner.rollback()

    enter(app, "acme")
    app.execute("DELETE FROM memory.memories")
    app.commit()


def test_the_master_user_reads_no_tenant_data_by_accident(migrated: Aurora) -> None:
    master = make_conninfo(migrated.superuser_dsn, dbname="memory", user="root1", password="correct horse")

    with psycopg.connect(master) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("SELECT * FROM memory.memories")


def test_no_role_is_above_row_level_security(migrated: Aurora) -> None:
    with migrated.superuser() as superuser:
        above = superuser.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^memory_|^root1$' AND (rolsuper OR rolbypassrls)"
        ).fetchall()

    assert above == []


@pytest.mark.parametrize("role", ["memory_owner", "memory_migrator", "memory_rw", "memory_app_iam"])
def test_only_the_application_may_log_in(migrated: Aurora, role: str) -> None:
    with migrated.superuser() as superuser:
        row = superuser.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (role,)).fetchone()

    assert row == (False,)


def test_a_wrong_password_opens_nothing(migrated: Aurora) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(re.sub("password=\\S+", "password=guess", migrated.app_dsn()))
