"""Attacks on the rows of `acme`, by SQL of every kind that the application's role may send while it serves `globex`."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.db.test_isolation import CHUNK, STORE, count, enter
from tests.fix_postgres import Aurora

Connection = psycopg.Connection[Any]

THEIRS, OURS, NOBODYS = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
SECRET = "the code is 4711"
ZERO = "CASE WHEN content LIKE '%4711%' THEN 0 ELSE 1 END"


@pytest.fixture(scope="module")
def two_tenants(migrated: Aurora) -> Aurora:
    with psycopg.connect(migrated.app_dsn()) as app:
        for tenant, memory, content in (("acme", THEIRS, SECRET), ("globex", OURS, "17")):
            enter(app, tenant)
            app.execute(STORE.replace("likes tea", content), (tenant, memory))
            app.execute(CHUNK, (tenant, memory))
            app.execute("INSERT INTO memory.answers VALUES (%s, 'scope', 'hash', 'ids', '{}', now())", (tenant,))
            app.execute("INSERT INTO memory.metadata_entries VALUES (%s, %s, %s)", (tenant, THEIRS, memory))
    with migrated.superuser() as superuser:
        superuser.execute("ANALYZE")
    return migrated


@pytest.fixture
def globex(two_tenants: Aurora) -> Iterator[Connection]:
    with psycopg.connect(two_tenants.app_dsn()) as connection:
        enter(connection, "globex")
        yield connection
        connection.rollback()


# Each fails, by a division by zero or a cast, as soon as it looks at the other tenant's row before the policy has.
PROBES = [
    "SELECT 1 FROM memory.memories WHERE 1 / ZERO = 1",
    "SELECT 1 / ZERO FROM memory.memories",
    "SELECT 1 FROM memory.memories WHERE tenant_id = 'acme' AND 1 / ZERO = 1 UNION ALL SELECT 1",
    "SELECT 1 FROM memory.memories WHERE tenant_id = 'globex' OR 1 / ZERO = 1",
    "SELECT 1 FROM memory.memories WHERE CAST(content AS integer) = 17",
    "SELECT 1 FROM memory.memories ORDER BY 1 / ZERO",
    "SELECT count(*) FROM memory.memories GROUP BY 1 / ZERO",
    "SELECT max(1 / ZERO) FROM memory.memories",
    "SELECT 1 FROM memory.chunks JOIN memory.memories USING (memory_id) WHERE 1 / ZERO = 1",
    "SELECT 1 FROM memory.chunks AS c LEFT JOIN memory.memories AS m ON m.memory_id = c.memory_id AND 1 / ZERO = 1",
    "SELECT 1 FROM memory.chunks ORDER BY embedding <=> embedding, 1 / (CASE tenant_id WHEN 'acme' THEN 0 ELSE 1 END)",
    "UPDATE memory.memories SET trust = 'inference' WHERE 1 / ZERO = 1 RETURNING 1",
    "DELETE FROM memory.memories WHERE 1 / ZERO = 1 RETURNING 1",
    "SELECT 1 FROM memory.memories WHERE 1 / ZERO = 1 FOR UPDATE",
]
SETTINGS = ["SELECT 1", *(f"SET LOCAL enable_{plan} = off" for plan in ("seqscan", "indexscan", "bitmapscan", "sort"))]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("probe", PROBES)
def test_no_error_tells_what_stands_in_another_tenant_s_row(globex: Connection, probe: str, settings: str) -> None:
    globex.execute(settings)

    assert globex.execute(probe.replace("ZERO", ZERO)).fetchall() == [(1,)]


@pytest.mark.parametrize("probe", PROBES)
def test_the_same_statements_tell_it_to_whom_no_policy_binds(two_tenants: Aurora, probe: str) -> None:
    with two_tenants.superuser() as superuser, pytest.raises(psycopg.DataError):
        superuser.execute(probe.replace("ZERO", ZERO))


# What could be called inside a condition, or would run with another's rights, has to be made first.
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RETURN true; END'",
        "CREATE FUNCTION public.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RETURN true; END'",
        "CREATE OR REPLACE FUNCTION memory.enter_tenant(tenant text) RETURNS text LANGUAGE sql RETURN 'acme'",
        "CREATE OPERATOR public.=== (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)",
        "CREATE VIEW memory.all_of_it AS SELECT * FROM memory.memories",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER tell BEFORE UPDATE ON memory.memories EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE tell AS ON SELECT TO memory.memories DO INSTEAD SELECT 1",
        "CREATE POLICY mine ON memory.memories USING (true)",
        "ALTER POLICY memories_tenant ON memory.memories USING (true)",
        "CREATE STATISTICS memory.mine ON tenant_id, content FROM memory.memories",
        "CREATE INDEX ON memory.memories (content)",
        "CREATE PUBLICATION mine FOR TABLE memory.memories",
        "ALTER DATABASE memory SET memory.tenant_id = 'acme'",
        "COPY memory.memories TO '/tmp/out'",
        "COPY memory.memories TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM memory.tenants()",
        "TABLE memory.chunks_p00",
    ],
)
def test_the_application_can_make_nothing_that_sees_more(globex: Connection, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        globex.execute(statement)


@pytest.mark.parametrize(
    "settings",
    [
        "SET LOCAL search_path = ''",
        "SET LOCAL search_path = memory, pg_temp, public",
        "SET LOCAL plan_cache_mode = force_generic_plan",
        "SET LOCAL ROLE memory_rw",
        "SET LOCAL ROLE NONE",
        "SELECT set_config('memory.tenant_id', 'globex'' OR true --', true), memory.enter_tenant('globex')",
        "DO $$ BEGIN PERFORM memory.enter_tenant('acme'); RAISE 'x'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
        "SAVEPOINT a; SELECT memory.enter_tenant('acme'); ROLLBACK TO a",
    ],
)
def test_no_setting_and_no_failed_step_opens_the_wall(globex: Connection, settings: str) -> None:
    globex.execute(settings)

    assert globex.execute("SELECT DISTINCT tenant_id FROM memory.memories").fetchall() == [("globex",)]
    assert (count(globex, "chunks"), count(globex, "answers"), count(globex, "metadata_entries")) == (1, 1, 1)


@pytest.mark.parametrize("statement", ["", "RESET memory.tenant_id", "RESET ALL", "SET LOCAL memory.tenant_id = ''"])
def test_whoever_loses_the_tenant_sees_nothing(globex: Connection, statement: str) -> None:
    globex.commit()
    globex.execute(statement or "SELECT 1")

    assert [count(globex, table) for table in ("memories", "chunks", "answers", "metadata_entries")] == [0] * 4


def test_a_copy_holds_the_tenant_s_rows_and_none_comes_in_by_one(globex: Connection) -> None:
    with globex.cursor() as cursor, cursor.copy("COPY memory.memories (tenant_id) TO STDOUT") as copy:
        assert b"".join(copy) == b"globex\n"
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM not supported with row-level security"):
        globex.execute("COPY memory.memories FROM STDIN")


def test_statistics_of_the_columns_are_shown_to_nobody_behind_the_wall(globex: Connection) -> None:
    """The most common values of a column are other tenants' ids and texts."""
    assert globex.execute("SELECT * FROM pg_stats WHERE schemaname = 'memory'").fetchall() == []
    assert globex.execute("SELECT * FROM pg_stats_ext WHERE schemaname = 'memory'").fetchall() == []


def refusal(connection: Connection, statement: str, values: tuple[str, ...]) -> tuple[str | None, ...]:
    """All that an error says, but for the values that were sent."""
    with pytest.raises(psycopg.Error) as refused, connection.transaction():
        connection.execute(statement, values)
    told = refused.value.diag
    said = (told.sqlstate, told.message_primary, told.message_detail, told.constraint_name, told.message_hint)
    return tuple(each and each.replace(THEIRS, "<id>").replace(NOBODYS, "<id>") for each in said)


ORACLES = {
    "unique key": (STORE, ("acme",)),
    "on conflict do update": (
        STORE + " ON CONFLICT (tenant_id, memory_id) DO UPDATE SET trust = 'inference'",
        ("acme",),
    ),
    "on conflict do nothing": (STORE + " ON CONFLICT DO NOTHING", ("acme",)),
    "foreign key": (CHUNK, ("globex",)),
    "foreign key of theirs": (CHUNK, ("acme",)),
    "link": ("UPDATE memory.memories SET near_id = %s", ()),
    "metadata": ("INSERT INTO memory.metadata_entries VALUES (%s, md5('a')::uuid, %s)", ("globex",)),
}


@pytest.mark.parametrize("oracle", ORACLES)
def test_an_id_of_another_tenant_is_refused_in_the_words_for_one_that_nobody_has(
    globex: Connection, oracle: str
) -> None:
    statement, values = ORACLES[oracle]

    assert refusal(globex, statement, (*values, THEIRS)) == refusal(globex, statement, (*values, NOBODYS))


def test_an_id_of_another_tenant_is_free(globex: Connection) -> None:
    taken = globex.execute(STORE + " ON CONFLICT DO NOTHING", ("globex", THEIRS)).rowcount

    assert taken == 1
    assert count(globex) == 2
