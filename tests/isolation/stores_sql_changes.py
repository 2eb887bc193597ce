"""SQL that writes, as the application's own role: for another tenant, without a WHERE, into another's keys."""

from uuid import uuid4

import psycopg
from psycopg import sql

from tests.isolation.arena import Leak
from tests.isolation.stores import Ground, enter, store_attack
from tests.isolation.stores_sql import relations, tried

STORE = (
    "INSERT INTO memory.memories (tenant_id, memory_id, agent_id, content, occurred_at, created_at, updated_at,"
    " chunk_count) VALUES (%s, %s, 'attack', 'attack', now(), now(), now(), 1)"
)


@store_attack("postgres", "rows written for another tenant", "dsn")
def write_for_another(ground: Ground) -> None:
    """WITH CHECK on every table that takes rows at all; refused in the same words whether the row exists or not."""
    victim, there, absent = ground.victim, ground.victims["id"], str(uuid4())
    statements = {
        STORE: 2,
        "INSERT INTO memory.memory_revisions (tenant_id, memory_id, revision, content, metadata, replaced_at, trust,"
        " occurred_at, written_at) VALUES (%s, %s, 1, 'x', '{}', now(), 'inference', now(), now())": 2,
        "INSERT INTO memory.chunks (tenant_id, memory_id, ordinal, agent_id, namespace_key, user_key, session_key,"
        " purpose_mask, occurred_at, starts_at, ends_at, model, dimensions, embedding) VALUES (%s, %s, 99, 'a', 1,"
        " 0, 0, 0, now(), 0, 9, 't', 1024, array_fill(1, ARRAY[1024])::real[]::public.vector::public.halfvec(1024))": 2,
        "INSERT INTO memory.postings (tenant_id, lexeme, agent_key, namespace_key, memory_id, ordinal, tf, length)"
        " VALUES (%s, 1, 1, 1, %s, 99, 1, 1)": 2,
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
