"""SQL as the application's own role, and as the owner: what a mistake, or an injected statement, would be answered.

A statement that says `enter_tenant` of another tenant is not among these: the role speaks for every tenant, one at a
time, and which one is the handlers' to say. What is attacked is everything that says less than that, or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

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
