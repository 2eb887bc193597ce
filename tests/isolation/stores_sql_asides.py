"""SQL as the application's own role that asks beside the data: errors, statistics, plans, rights."""

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from tests.isolation.arena import Leak
from tests.isolation.stores import Connection, Ground, store_attack
from tests.isolation.stores_sql import tried


@store_attack("postgres", "conditions that speak", "dsn")
def leaky(ground: Ground) -> None:
    """A condition that fails, or speaks, on each row that it meets: it must meet none but the caller's."""
    nobody = "attack-nobody"
    for condition in (
        "CAST(content AS integer) = 1",
        "1 / (length(content) - length(content)) = 1",
        "CAST(content AS xml) IS NOT NULL",
        "CAST(metadata AS jsonb) ->> 'topic' = CAST(1 / (length(agent_id) - length(agent_id)) AS text)",
        "pg_catalog.pg_input_error_info(content, 'integer') IS NULL AND CAST(content AS date) IS NULL",
    ):
        with ground.app(nobody) as connection:
            try:
                connection.execute("SELECT FROM memory.memories WHERE " + condition)
            except psycopg.Error as exc:
                raise Leak(f"{condition} met another tenant's row: {exc}") from exc


@store_attack("postgres", "statistics and plans", "dsn")
def statistics(ground: Ground) -> None:
    """What the planner knows of others' values is not shown, and its estimates are the same for any value."""
    with ground.app(ground.attacker) as connection:
        for view in ("pg_stats", "pg_stats_ext", "pg_statistic", "pg_stat_activity", "pg_stats_ext_exprs"):
            with tried(connection):
                ground.secret(
                    connection.execute(sql.SQL("SELECT v::text FROM {} AS v").format(sql.Identifier(view))).fetchall()
                )
        shown = connection.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'memory'").fetchone()
        if shown != (0,):
            raise Leak("pg_stats shows values of guarded tables")
        plans = {
            _estimates(connection, ground, agent) for agent in (ground.victims["agent_id"], "attack-no-such-agent")
        }
        if len(plans) != 1:
            raise Leak(f"the planner's estimates tell of another tenant's agent: {plans}")


def _estimates(connection: Connection, ground: Ground, agent: str) -> str:
    explain = "EXPLAIN SELECT FROM memory.memories WHERE tenant_id = %s AND agent_id = %s"
    plan = connection.execute(explain, (ground.attacker, agent)).fetchall()
    return str(plan).replace(agent, "<agent>")


@store_attack("postgres", "a way up", "dsn")
def escalate(ground: Ground) -> None:
    """Roles, row_security, definitions, the server's files: none of it is the application's."""
    for statement in (
        "SET ROLE memory_owner",
        "SET ROLE memory_migrator",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION memory_owner",
        "SET row_security = off; SELECT * FROM memory.memories",
        "ALTER TABLE memory.memories DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE memory.memories NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY memories_tenant ON memory.memories",
        "CREATE POLICY mine ON memory.memories USING (true)",
        "ALTER ROLE memory_app BYPASSRLS",
        "CREATE FUNCTION memory.speak(text) RETURNS boolean LANGUAGE plpgsql COST 0.01 AS 'BEGIN RETURN true; END'",
        "CREATE VIEW memory.mine AS SELECT * FROM memory.memories",
        "CREATE RULE mine AS ON SELECT TO memory.memories DO INSTEAD SELECT 1",
        "CREATE TEMP TABLE mine (id int)",
        "SELECT * FROM memory.chunks_p00",
        "COPY memory.memories TO PROGRAM 'cat'",
        "COPY memory.memories TO '/tmp/attack'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_authid",
    ):
        with ground.app(ground.attacker) as connection:
            try:
                connection.execute(statement)
            except (InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
                continue
            raise Leak(f"the application may: {statement}")


@store_attack("postgres owner", "logins", "dsn")
def logins(ground: Ground) -> None:
    with ground.app() as connection:
        able = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN ('memory_owner', 'memory_migrator', 'memory_rw')"
            " AND (rolcanlogin OR rolsuper OR rolbypassrls)"
            " UNION SELECT rolname FROM pg_roles WHERE rolname ~ '^memory_app' AND (rolsuper OR rolbypassrls)"
        ).fetchall()
        mine = connection.execute(
            "SELECT count(*) FROM pg_class"
            " WHERE relnamespace = 'memory'::regnamespace AND pg_has_role(relowner, 'MEMBER')"
        ).fetchone()
    if able or mine != (0,):
        raise Leak(f"{able} may log in, or stand above policies; the application owns {mine} relations")
