"""Whose transaction it is: what of a tenant could stay behind on a connection, in a plan, or where others look."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agent_memory.adapters.postgres import Postgres
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.database import Call, Database, StatementRefused
from agent_memory.domain.usage import Tally
from tests.contract.memories import CASHEWS, CRANE, PIANO, Memories
from tests.contract.probes import add_probes
from tests.db.in_transaction import InTransaction
from tests.db.test_isolation import enter
from tests.debian_servers import token
from tests.fakes.clock import Clock
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora

WAYS = ["data_api", "direct", "proxy"]
SEEN = "SELECT DISTINCT tenant_id FROM memory.memories"


@pytest.fixture(scope="module")
def two_tenants(migrated: Aurora) -> Aurora:
    """Each of two tenants has a memory; and a function counts what is seen without entering anybody's."""
    add_probes(migrated)
    with migrated.superuser() as superuser:
        superuser.execute(
            "CREATE FUNCTION memory.seen() RETURNS TABLE (seen bigint) LANGUAGE sql AS"
            " $$ SELECT count(*) FROM memory.memories $$"
        )
    for tenant, content in (("acme", CASHEWS), ("globex", PIANO)):
        memories(migrated.as_app(), tenant).store(content)
    return migrated


@pytest.fixture
def app(two_tenants: Aurora) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(two_tenants.app_dsn()) as connection:
        yield connection
        connection.rollback()


def memories(database: Database, tenant: str) -> Memories:
    store = SqlMemoryStore(database, Tally())
    return Memories(store, lambda: store, tenant, Clock())


@pytest.mark.parametrize("way", WAYS)
def test_after_an_error_in_the_middle_the_next_call_is_nobody_s(two_tenants: Aurora, ways: Ways, way: str) -> None:
    database = ways(way, two_tenants)
    for code in ("22023", "42501", "23505"):
        with pytest.raises(StatementRefused):
            database.call_all([Call("enter_tenant", {"tenant": "acme"}), Call("refuse", {"code": code})])

        assert database.call("seen", {}) == [{"seen": 0}]


@pytest.mark.parametrize("way", WAYS)
def test_plans_that_were_kept_for_one_tenant_serve_another(two_tenants: Aurora, ways: Ways, way: str) -> None:
    """A function's statements are planned for good after some calls; the tenant is no part of the plan."""
    database = ways(way, two_tenants)
    for _ in range(8):
        assert memories(database, "acme").walked() == [[CASHEWS]]
        assert memories(database, "globex").walked() == [[PIANO]]
        assert memories(database, "acme").found(PIANO) == [CASHEWS]
        assert memories(database, "globex").found(CASHEWS) == [PIANO]
    assert database.call("seen", {}) == [{"seen": 0}]


def test_a_session_that_somebody_left_in_a_tenant_changes_no_answer(two_tenants: Aurora, ways: Ways) -> None:
    """Nothing of ours sets one; a pool in the hands of others may hold such a connection."""
    proxy = ways.proxy(two_tenants, pool_size=1)
    login = proxy.login("memory_app", token(proxy.port, "memory_app"))
    with psycopg.connect(login(), autocommit=True, prepare_threshold=None) as careless:
        careless.execute("SELECT set_config('memory.tenant_id', 'acme', false)")

    database = Postgres(login)

    assert database.call("seen", {}) == [{"seen": 1}]  # it is that connection
    assert memories(database, "globex").walked() == [[PIANO]]
    assert memories(database, "globex").found(CASHEWS) == [PIANO]
    with psycopg.connect(login(), autocommit=True, prepare_threshold=None) as tidy:
        tidy.execute("RESET memory.tenant_id")


def test_a_statement_that_was_prepared_for_one_tenant_serves_another(app: psycopg.Connection[Any]) -> None:
    for plans in ("force_generic_plan", "force_custom_plan"):
        app.execute(f"SET plan_cache_mode = {plans}")
        for tenant in ("acme", "globex", "acme", "nobody"):
            enter(app, tenant)
            seen = app.execute(SEEN, prepare=True).fetchall()
            assert seen == ([] if tenant == "nobody" else [(tenant,)])


def test_of_two_tenants_in_one_transaction_each_statement_sees_the_later(app: psycopg.Connection[Any]) -> None:
    enter(app, "acme")
    memory_id = app.execute("SELECT memory_id FROM memory.memories").fetchone()
    assert memory_id

    enter(app, "globex")

    assert app.execute(SEEN).fetchall() == [("globex",)]
    for change in ("UPDATE memory.memories SET trust = 'inference'", "DELETE FROM memory.memories"):
        assert app.execute(change + " WHERE memory_id = %s", memory_id).rowcount == 0


def test_nothing_of_a_call_stays_in_the_session(two_tenants: Aurora) -> None:
    with psycopg.connect(two_tenants.app_dsn(), autocommit=True, prepare_threshold=None) as session:
        of_acme = memories(InTransaction(session), "acme")
        stored = of_acme.store(CRANE)
        assert CRANE in of_acme.found(CRANE)
        of_acme.delete(stored.memory.id)
        left = session.execute(
            "SELECT (SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_prepared_statements),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), current_setting('memory.tenant_id')"
        ).fetchone()

    assert left == (0, 0, 0, "")


def test_what_a_session_ran_last_shows_no_value(two_tenants: Aurora, ways: Ways) -> None:
    """A role sees the statements of all its sessions: none may carry an id, a text or a vector."""
    for way in WAYS:
        database = ways(way, two_tenants)
        memories(database, "acme").store("Noor's code is 4711.", agent_id="planner")
        with psycopg.connect(two_tenants.app_dsn()) as other:
            shown = [str(row[0]) for row in other.execute("SELECT query FROM pg_stat_activity WHERE query <> ''")]

        assert any("memory." in each for each in shown)
        assert not [each for each in shown for word in ("4711", "acme", "planner", "[0.") if word in each]


def test_without_a_tenant_the_inner_functions_find_nothing(app: psycopg.Connection[Any]) -> None:
    """They are called by those that enter; by themselves they trust nothing but the transaction."""
    row = app.execute(
        "SELECT (SELECT count(*) FROM memory.memories), memory.scope_size('acme', '{}', 10),"
        " (SELECT count(*) FROM memory.nearest('acme', '{}', array_fill(1, ARRAY[1024])::real[]::vector::halfvec,"
        " 'none', 5, 2))"
    ).fetchone()

    assert row == (0, 0, 0)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        app.execute("SELECT memory.add_entries('acme', gen_random_uuid(), %s)", ('{"entries": ["' + "0" * 32 + '"]}',))
