"""SQL as the application's own role, and as the owner: what a mistake, or an injected statement, would be answered.

A statement that says `enter_tenant` of another tenant is not among these: the role speaks for every tenant, one at a
time, and which one is the handlers' to say. What is attacked is everything that says less than that, or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Connection, Ground, enter, store_attack

_RELATIONS = """
    SELECT n.nspname, c.relname, EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY 1, 2
"""
STORE = (
    "INSERT INTO memory.memories (tenant_id, memory_id, agent_id, content, occurred_at, created_at, updated_at,"
    " chunk_count, model) VALUES (%s, %s, 'attack', 'attack', now(), now(), now(), 1, 'attack')"
)


def relations(connection: Connection) -> list[tuple[sql.Identifier, bool]]:
    """Every table, partition and view that is not PostgreSQL's own, and whether its rows name a tenant."""
    found = connection.execute(_RELATIONS).fetchall()
    if not any(has_tenant for *_, has_tenant in found):
        raise Unfilled("no table is to be seen, so none can be attacked")
    return [(sql.Identifier(schema, name), has_tenant) for schema, name, has_tenant in found]


@contextmanager
def tried(connection: Connection) -> Iterator[None]:
    """A statement that may well be refused; the transaction goes on."""
    try:
        with connection.transaction():
            yield
    except psycopg.Error:
        return


def read_all(ground: Ground, connection: Connection, tenant: str | None) -> None:
    """Read each relation without a WHERE, whole and by samples: no row of any tenant but this one."""
    for relation, has_tenant in relations(connection):
        for how in ("SELECT t::text FROM {} AS t", "SELECT t::text FROM {} AS t TABLESAMPLE SYSTEM (100)"):
            with tried(connection):
                ground.secret(connection.execute(sql.SQL(how).format(relation)).fetchmany(5000))
        if has_tenant:
            with tried(connection):
                others = connection.execute(
                    sql.SQL("SELECT count(*) FROM {} WHERE tenant_id IS DISTINCT FROM %s").format(relation), (tenant,)
                ).fetchone()
                if others != (0,):
                    raise Leak(f"{others} rows of others in {relation.as_string(None)}")


@store_attack("postgres", "every relation without WHERE and without a tenant", "dsn")
def no_where_no_tenant(ground: Ground) -> None:
    with ground.app() as connection:
        read_all(ground, connection, None)


@store_attack("postgres", "every relation without WHERE as another tenant", "dsn")
def no_where(ground: Ground) -> None:
    with ground.app(ground.attacker) as connection:
        seen = connection.execute("SELECT count(*) FROM memory.memories").fetchone()
        if seen == (0,):
            raise Unfilled("the attacker has no memory of its own, so seeing none proves nothing")
        read_all(ground, connection, ground.attacker)


@store_attack("postgres", "COPY of every relation", "dsn")
def copy_out(ground: Ground) -> None:
    for tenant in (None, ground.attacker):
        with ground.app(tenant) as connection:
            for relation, _ in relations(connection):
                with tried(connection), connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(relation)) as out:
                    ground.secret(b"".join(bytes(piece) for piece in out).decode())


@store_attack("postgres", "what is no tenant id", "dsn")
def no_tenant_id(ground: Ground) -> None:
    victim = ground.victim
    for forged in (
        "",
        " ",
        "%",
        "*",
        victim.upper(),
        f"{victim} ",
        f" {victim}",
        f"{victim},x",
        f"{{{victim}}}",
        "null",
    ):
        with ground.app() as connection:
            connection.execute("SELECT set_config('memory.tenant_id', %s, true)", (forged,))
            ground.secret(connection.execute("SELECT m::text FROM memory.memories AS m").fetchall())


@store_attack("postgres functions", "every function called with the victim's ids", "dsn")
def functions(ground: Ground) -> None:
    """As the attacker. A function that enters the tenant that it is told of is an operation; others tell nothing."""
    with ground.app(ground.attacker) as connection:
        listed = connection.execute(
            "SELECT p.proname, p.prosecdef, coalesce(p.proargnames, '{}'), p.proargtypes::regtype[]::text[]"
            " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
            " WHERE n.nspname IN ('memory', 'memory_admin', 'public') AND p.prokind = 'f'"
            " AND has_function_privilege(p.oid, 'EXECUTE') AND p.probin IS NULL"
        ).fetchall()
        if not listed:
            raise Unfilled("no function is to be seen")
        for name, definer, names, types in listed:
            if definer:
                raise Leak(f"{name} runs with its owner's rights")
            _call(ground, connection, name, [_argument(ground, *each) for each in zip(names, types, strict=False)])


def _argument(ground: Ground, name: str, kind: str) -> Any:
    victim = ground.victims
    named = {"tenant": ground.victim, "id": victim["id"], "candidate": victim["id"], "target": victim["id"]}
    agent = {"agent": victim["agent_id"], "now": "2020-01-01T00:00:00Z", "at": "2020-01-01T00:00:00Z"}
    asked = '{"now": "2020-01-01T00:00:00Z", "agent_id": "%s", "limit": 50}' % victim["agent_id"]  # noqa: UP031 (braces)
    by_type = {"jsonb": asked, "uuid": victim["id"], "integer": 100, "bigint": 100, "text": victim["agent_id"]}
    value = (named | agent).get(name, by_type.get(kind.rpartition(".")[2]))
    return sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))


def _call(ground: Ground, connection: Connection, name: str, arguments: list[Any]) -> None:
    call = sql.SQL("SELECT t::text FROM memory.{}({}) AS t").format(sql.Identifier(name), sql.SQL(", ").join(arguments))
    with tried(connection):
        told = connection.execute(call).fetchall()
        entered = connection.execute("SELECT current_setting('memory.tenant_id')").fetchone()
        if entered == (ground.attacker,):
            ground.secret(told)
        raise psycopg.errors.QueryCanceled  # so that what it did, and entered, is undone


@store_attack("postgres", "rows written for another tenant", "dsn")
def write_for_another(ground: Ground) -> None:
    """WITH CHECK on every table that takes rows at all; refused in the same words whether the row exists or not."""
    victim, there, absent = ground.victim, ground.victims["id"], str(uuid4())
    statements = {
        STORE: 2,
        "INSERT INTO memory.memory_revisions (tenant_id, memory_id, revision, content, metadata, replaced_at, trust,"
        " occurred_at, written_at) VALUES (%s, %s, 1, 'x', '{}', now(), 'inference', now(), now())": 2,
        "INSERT INTO memory.chunks (tenant_id, memory_id, ordinal, agent_id, namespace_key, user_key, session_key,"
        " starts_at, ends_at, model, dimensions, embedding) VALUES (%s, %s, 99, 'a', 1, 0, 0, 0, 9, 't', 1024,"
        " array_fill(1, ARRAY[1024])::real[]::public.vector::public.halfvec(1024))": 2,
        "INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id) VALUES (%s, gen_random_uuid(), %s)": 2,
        "INSERT INTO memory.answers (tenant_id, scope, request_hash, lapses_at) VALUES (%s, %s, 'x', now())": 2,
    }
    for tenant in (ground.attacker, None):
        for statement in statements:
            for suffix in ("", " ON CONFLICT DO NOTHING"):
                refusals = {_refusal(ground, tenant, statement + suffix, (victim, id_)) for id_ in (there, absent)}
                if len(refusals) != 1 or not refusals.pop().startswith("42501"):
                    raise Leak(f"as {tenant}: {statement} for another tenant was not refused, or not in the same words")


def _refusal(ground: Ground, tenant: str | None, statement: str, values: tuple[str, ...]) -> str:
    with ground.app(tenant) as connection:
        try:
            connection.execute(statement, values)
        except psycopg.Error as exc:
            return f"{exc.sqlstate} {str(exc).replace(values[-1], '<id>')}"
    return "accepted"


@store_attack("postgres", "changes without WHERE", "dsn")
def change_all(ground: Ground) -> None:
    """Without a tenant nothing is changed; as one tenant nothing of another's."""
    for tenant in (None, ground.attacker):
        with ground.app(tenant) as connection:
            for relation, _ in relations(connection):
                for how in ("DELETE FROM {}", "UPDATE {} SET tenant_id = tenant_id", "TRUNCATE {}"):
                    with tried(connection):
                        connection.execute(sql.SQL(how).format(relation))
            with tried(connection):
                connection.execute("UPDATE memory.memories SET content = 'attack', expires_at = now()")
            enter(connection, ground.victim)
            seen = connection.execute(
                "SELECT content FROM memory.memories WHERE memory_id = %s", (ground.victims["id"],)
            )
            if seen.fetchone() != (ground.arena.shared.memory,):
                raise Leak(f"as {tenant}, changes without WHERE reached another tenant's memory")
            found = connection.execute(
                "SELECT count(*) FROM memory.chunks WHERE memory_id = %s", (ground.victims["id"],)
            )
            if found.fetchone() != (1,):
                raise Leak(f"as {tenant}, a deletion reached another tenant's chunks")


@store_attack("postgres", "ON CONFLICT and unique violations", "dsn")
def conflicts(ground: Ground) -> None:
    """Keys begin with the tenant: the id of another's record is free, and foreign keys find nothing behind it."""
    there, absent = ground.victims["id"], str(uuid4())
    mine = ground.attacker
    revision = (
        "INSERT INTO memory.memory_revisions (tenant_id, memory_id, revision, content, metadata, replaced_at, trust,"
        " occurred_at, written_at) VALUES (%s, %s, 1, 'x', '{}', now(), 'inference', now(), now())"
    )
    entry = "INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id) VALUES (%s, gen_random_uuid(), %s)"
    near = "UPDATE memory.memories SET near_id = %s"
    cases = [
        (STORE, (mine,)),
        (STORE + " ON CONFLICT DO NOTHING", (mine,)),
        (revision, (mine,)),
        (entry, (mine,)),
        (near, ()),
    ]
    for statement, before in cases:
        told = {_outcome(ground, statement, (*before, id_)) for id_ in (there, absent)}
        if len(told) != 1:
            raise Leak(f"{statement} tells that another tenant has the id: {told}")


def _outcome(ground: Ground, statement: str, values: tuple[str, ...]) -> str:
    with ground.app(ground.attacker) as connection:
        try:
            done = connection.execute(statement, values).rowcount
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as exc:
            return f"{exc.sqlstate} {str(exc).replace(values[-1], '<id>')}"
        return str(done)


@store_attack("postgres", "a twin of an id, deleted", "dsn")
def twin_deleted(ground: Ground) -> None:
    """What cascades from a row cascades within its tenant."""
    with ground.app(ground.attacker) as connection:
        connection.execute(STORE, (ground.attacker, ground.victims["id"]))
        connection.execute("DELETE FROM memory.memories WHERE memory_id = %s", (ground.victims["id"],))
        enter(connection, ground.victim)
        for table in ("memories", "chunks"):
            query = sql.SQL("SELECT count(*) FROM memory.{} WHERE memory_id = %s").format(sql.Identifier(table))
            if connection.execute(query, (ground.victims["id"],)).fetchone() != (1,):
                raise Leak(f"deleting one's own row took another tenant's from {table}")


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


@store_attack("postgres owner", "every relation without a tenant", "dsn", "owner_dsn")
def owner(ground: Ground) -> None:
    """A rival's application owned its tables, and an owner without FORCE is above its own policies."""
    with psycopg.connect(str(ground.stores.owner_dsn)) as connection:
        read_all(ground, connection, None)
        for role in ("memory_migrator", "memory_owner"):
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            read_all(ground, connection, None)
            with tried(connection):
                connection.execute("SET LOCAL row_security = off")
                ground.secret(connection.execute("SELECT m::text FROM memory.memories AS m").fetchall())
        enter(connection, ground.attacker)
        read_all(ground, connection, ground.attacker)
        connection.rollback()


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
