"""Guards, each taken away by itself: with which attacks must get through, and which other layer still stops the rest.

A guard is taken away for real: from a copy of the database, or from the code that runs.
"""

import contextlib
import importlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

import psycopg
from psycopg import sql

from agent_memory.adapters import s3_archive
from agent_memory.adapters.dynamodb_item import key
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain import cursor
from agent_memory.domain.identifiers import to_path
from agent_memory.entrypoints import request
from agent_memory.errors import Forbidden
from agent_memory.service import keys
from tests.isolation.stores import Ground

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Mutation:
    """A guard and how it is taken away. `held` are attacks that another layer stops even then."""

    guard: str
    caught: tuple[str, ...]
    held: tuple[str, ...] = ()
    sql: tuple[Callable[[Connection], None], ...] = ()
    code: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    later: Callable[[Ground], AbstractContextManager[Any]] = contextlib.nullcontext


def _each_table(statement: str) -> Callable[[Connection], None]:
    """Do something to each table and partition that has a policy; {0} is the table, {1} its policy."""

    def change(connection: Connection) -> None:
        listed = connection.execute("SELECT schemaname, tablename, policyname FROM pg_policies").fetchall()
        for schema, table, policy in listed:
            connection.execute(sql.SQL(statement).format(sql.Identifier(schema, table), sql.Identifier(policy)))

    return change


def _statements(*statements: str) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return change


def _edit_functions(pattern: str, replacement: str) -> Callable[[Connection], None]:
    """Rewrite the bodies of the schema's functions."""

    def change(connection: Connection) -> None:
        listed = connection.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'memory'::regnamespace"
        ).fetchall()
        edited = [(text, re.sub(pattern, replacement, text)) for (text,) in listed]
        assert any(before != after for before, after in edited), f"no function holds {pattern}"
        for before, after in edited:
            if before != after:
                connection.execute(after)

    return change


def _keys_without_tenant(*modules: str) -> Callable[[], AbstractContextManager[Any]]:
    """Make DynamoDB keys of these adapters as if all tenants were one."""

    def shared(_tenant: str, *parts: str) -> str:
        return key("shared", *parts)

    def change() -> ExitStack:
        stack = ExitStack()
        for name in modules:
            module = importlib.import_module(f"agent_memory.adapters.dynamodb_{name}")
            stack.enter_context(patch.object(module, "key", shared))
        return stack

    return change


def _tenant_also_from(read: Callable[[dict[str, Any]], str | None]) -> Callable[[], AbstractContextManager[Any]]:
    """Believe the request about its tenant."""
    authorizers = request._context

    def believing(event: dict[str, Any]) -> dict[str, Any]:
        said = read(event)
        return authorizers(event) | ({"tenant_id": said} if said else {})

    return lambda: patch.object(request, "_context", believing)


def _in_headers(event: dict[str, Any]) -> str | None:
    found: str | None = event["headers"].get("x-tenant-id")
    return found


def _in_body(event: dict[str, Any]) -> str | None:
    try:
        body = json.loads(event.get("body") or "null")
    except ValueError:
        return None
    return body.get("tenant_id") if isinstance(body, dict) else None


def _in_query(event: dict[str, Any]) -> str | None:
    return dict(parse_qsl(event.get("rawQueryString") or "")).get("tenant_id")


def _unknown_tenant() -> AbstractContextManager[Any]:
    """What a rival does: a request without a context is that of a tenant called unknown."""
    authorizers, unknown = (
        request._context,
        {"tenant_id": "unknown", "scopes": "read write erase admin", "cursor_key": ""},
    )
    return patch.object(request, "_context", lambda event: authorizers(event) or unknown)


def _first_tenant_kept() -> AbstractContextManager[Any]:
    """A warm function that remembers who called it first for each kind of work."""
    authorizers, kept = request._context, dict[str, Any]()

    def remembering(event: dict[str, Any]) -> Any:
        if not event["rawPath"].startswith(("/v1/state/raced", "/v1/memory/raced")):
            return authorizers(event)
        return kept.setdefault("context", authorizers(event))

    return patch.object(request, "_context", remembering)


def _telling(by: str) -> Callable[[Ground], AbstractContextManager[Any]]:
    """A store that knows of other tenants' records, and lets on by its words or by its time."""

    def change(ground: Ground) -> AbstractContextManager[Any]:
        get = SqlMemoryStore.get

        def telling(self: SqlMemoryStore, tenant_id: str, memory_id: str, now: Any) -> Any:
            found = get(self, tenant_id, memory_id, now)
            if found is None and get(self, ground.victim, memory_id, now) is not None:
                if by == "words":
                    raise Forbidden("this memory is not yours")
                time.sleep(0.1)
            return found

        return patch.object(SqlMemoryStore, "get", telling)

    return change


_NO_RLS = _each_table("ALTER TABLE {0} DISABLE ROW LEVEL SECURITY")
_NO_PREDICATE = _edit_functions(r"\b\w+\.tenant_id = (\$1|(add_chunks\.)?tenant\b)", "true")
_FOREIGN_PATH = " | foreign id in the path"
_OWN_WAY = (
    f"GET /v1/memory/semantic/{{id}}{_FOREIGN_PATH}",
    f"GET /v1/memory/semantic/{{id}}/history{_FOREIGN_PATH}",
    "GET /v1/memory/semantic | listing everything",
    "POST /v1/memory/semantic/search | searching by the victim's exact text",
    f"DELETE /v1/memory/semantic/{{id}}{_FOREIGN_PATH}",
    "POST /v1/memory/semantic | the victim's text to be merged with",
)
_NO_WHERE = "postgres | every relation without WHERE as another tenant"
_NO_TENANT = "postgres | every relation without WHERE and without a tenant"
_LEFT_OVER = (
    "pooled connection | context left over after a request",
    "pooled connection | context left over after a transaction",
    "the application's own session | context left over",
)
_CURSORS = tuple(
    f"{route} | foreign cursor"
    for route in (
        "GET /v1/state/{agent_id}/sessions",
        "GET /v1/memory/episodic/{agent_id}",
        "GET /v1/memory/episodic/{agent_id}/sessions/{session_id}",
        "GET /v1/memory/semantic",
    )
)

MUTATIONS = (
    Mutation(
        "FORCE of row-level security",
        ("postgres owner | every relation without a tenant",),
        (_NO_WHERE, *_OWN_WAY[:3]),
        sql=(_each_table("ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY"),),
    ),
    Mutation(
        "context that ends with its transaction",
        _LEFT_OVER,
        (*_OWN_WAY[:3], "warm function semantic | two tenants in turns and at once"),
        sql=(
            _edit_functions(
                r"set_config\('memory.tenant_id', tenant, true\)", "set_config('memory.tenant_id', tenant, false)"
            ),
        ),
    ),
    Mutation(
        "WITH CHECK",
        ("postgres | rows written for another tenant",),
        (_NO_WHERE, "postgres | changes without WHERE"),
        sql=(_each_table("ALTER POLICY {1} ON {0} WITH CHECK (true)"),),
    ),
    Mutation(
        "USING",
        (
            _NO_WHERE,
            _NO_TENANT,
            "postgres | COPY of every relation",
            "postgres | changes without WHERE",
            "postgres | conditions that speak",
            *_LEFT_OVER,
        ),
        _OWN_WAY,
        sql=(_each_table("ALTER POLICY {1} ON {0} USING (true)"),),
    ),
    Mutation("row-level security as a whole", (_NO_WHERE, _NO_TENANT), _OWN_WAY, sql=(_NO_RLS,)),
    Mutation("the tenant in each statement, row-level security standing", (), _OWN_WAY, sql=(_NO_PREDICATE,)),
    Mutation("the tenant in each statement, row-level security gone", _OWN_WAY, sql=(_NO_PREDICATE, _NO_RLS)),
    Mutation(
        "row-level security of partitions, which are granted",
        (_NO_TENANT, "postgres | a way up"),
        _OWN_WAY[:3],
        sql=(
            _statements(
                *(f"ALTER TABLE memory.chunks_p{n:02} DISABLE ROW LEVEL SECURITY" for n in range(16)),
                *(f"GRANT SELECT ON memory.chunks_p{n:02} TO memory_rw" for n in range(16)),
            ),
        ),
    ),
    Mutation(
        "security_invoker of a view",
        (_NO_TENANT, _NO_WHERE),
        sql=(
            _statements(
                "CREATE VIEW memory.everything AS SELECT * FROM memory.memories",
                "GRANT SELECT ON memory.everything TO memory_rw",
            ),
        ),
    ),
    Mutation(
        "SECURITY INVOKER of a function",
        ("postgres functions | every function called with the victim's ids",),
        sql=(
            _statements(
                "CREATE FUNCTION memory.peek(id uuid) RETURNS SETOF memory.memories LANGUAGE sql SECURITY DEFINER"
                " BEGIN ATOMIC SELECT * FROM memory.memories WHERE memory_id = id; END",
                "GRANT EXECUTE ON FUNCTION memory.peek(uuid) TO memory_rw",
            ),
        ),
    ),
    Mutation(
        "the tenant in a key of PostgreSQL",
        ("postgres | ON CONFLICT and unique violations",),
        _OWN_WAY[:3],
        sql=(_statements("CREATE UNIQUE INDEX ON memory.memories (memory_id)"),),
    ),
    Mutation(
        "the authorizer's word alone, not a header's",
        (
            "GET /v1/memory/{agent_id} | forged tenant in headers",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in headers",
            "POST /v1/memory/semantic/search | forged tenant in headers",
        ),
        code=_tenant_also_from(_in_headers),
    ),
    Mutation(
        "the authorizer's word alone, not the body's",
        (
            "GET /v1/memory/{agent_id} | forged tenant in the body",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in the body",
        ),
        ("POST /v1/memory/semantic/search | forged tenant in the body", "POST /v1/state | forged tenant in the body"),
        code=_tenant_also_from(_in_body),
    ),
    Mutation(
        "the authorizer's word alone, not the query's",
        ("GET /v1/memory/semantic/{id} | forged tenant in the query",),
        (
            "GET /v1/memory/{agent_id} | forged tenant in the query",
            "DELETE /v1/state/{agent_id}/{session_id} | forged tenant in the query",
        ),
        code=_tenant_also_from(_in_query),
    ),
    Mutation(
        "refusing a request without a tenant",
        (
            "GET /v1/usage | nobody's key",
            "POST /v1/state | nobody's key",
            "DELETE /v1/memory/{agent_id} | nobody's key",
        ),
        code=_unknown_tenant,
    ),
    Mutation(
        "comparing a key with its hash",
        ("GET /v1/usage | nobody's key", "GET /v1/memory/{agent_id} | nobody's key"),
        code=lambda: patch.object(keys, "compare_digest", lambda *_: True),
    ),
    Mutation(
        "nothing kept of a caller in a warm function",
        ("warm function working | two tenants in turns and at once",),
        code=_first_tenant_kept,
    ),
    Mutation("signing cursors", _CURSORS, code=lambda: patch.object(cursor, "_tag", lambda *_: bytes(16))),
    Mutation(
        "a key of its own for each tenant's cursors",
        (),
        _CURSORS,  # what is signed names the tenant too
        code=lambda: patch.object(keys, "cursor_key", lambda *_: "00"),
    ),
    Mutation(
        "the tenant in the keys of states",
        (
            f"GET /v1/state/{{agent_id}}{_FOREIGN_PATH}",
            f"DELETE /v1/state/{{agent_id}}/{{session_id}}{_FOREIGN_PATH}",
            "dynamodb state | the victim's keys in the attacker's context",
            "dynamodb | keys and index keys without their tenant",
        ),
        code=_keys_without_tenant("state_item", "state"),
    ),
    Mutation(
        "the tenant in the keys of episodes",
        (
            f"GET /v1/memory/episodic/{{agent_id}}{_FOREIGN_PATH}",
            f"GET /v1/memory/episodic/{{agent_id}}/sessions/{{session_id}}{_FOREIGN_PATH}",
            "dynamodb episodes | the victim's ids in the attacker's context",
        ),
        code=_keys_without_tenant("episode_item", "episodes", "recent"),
    ),
    Mutation(
        "the tenant in all keys of the memory table",
        (
            f"DELETE /v1/memory/{{agent_id}}{_FOREIGN_PATH}",
            "dynamodb purge | the victim's agent in the attacker's context",
        ),
        code=_keys_without_tenant("state_item", "state", "episode_item", "episodes", "recent", "purge"),
    ),
    Mutation(
        "the tenant in the keys of first answers",
        (
            "POST /v1/state | foreign idempotency key",
            "dynamodb idempotency | the victim's key in the attacker's context",
        ),
        code=_keys_without_tenant("idempotency"),
    ),
    Mutation(
        "the tenant in the keys of whose session it is",
        (
            "POST /v1/state | error text for foreign and absent ids",
            "dynamodb subjects | the victim's session in the attacker's context",
        ),
        code=_keys_without_tenant("control"),
    ),
    Mutation(
        "the tenant in the keys of the registry",
        ("dynamodb registry and usage | lists and counters",),
        code=_keys_without_tenant("registry"),
    ),
    Mutation(
        "the tenant in the keys of counters",
        ("GET /v1/usage | counting what others do",),
        code=_keys_without_tenant("usage"),
    ),
    Mutation(
        "the tenant in the archive's keys",
        ("s3 archive | the victim's agent, purged by the attacker",),
        code=lambda: patch.object(s3_archive, "agent_prefix", lambda _tenant, agent: f"{to_path(agent)}/"),
    ),
    Mutation(
        "one answer for foreign and absent ids",
        ("GET /v1/memory/semantic/{id} | error text for foreign and absent ids",),
        later=_telling("words"),
    ),
    Mutation(
        "one time for foreign and absent ids",
        ("GET /v1/memory/semantic/{id} | time for foreign and absent ids",),
        later=_telling("time"),
    ),
)


@contextlib.contextmanager
def copy_of_database(
    superuser: Connection, copy: str, changes: tuple[Callable[[Connection], None], ...]
) -> Iterator[None]:
    """A copy of `memory` with something changed, for as long as it is needed."""
    name = sql.Identifier(copy)
    superuser.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'memory'")
    superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    superuser.execute(sql.SQL("CREATE DATABASE {} TEMPLATE memory").format(name))
    superuser.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO memory_rw, memory_migrator, root1").format(name))
    try:
        with psycopg.connect(superuser.info.dsn, dbname=copy, password=superuser.info.password) as connection:
            for change in changes:
                change(connection)
        yield
    finally:
        superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
