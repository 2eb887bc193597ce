"""How a guard is taken away: from a copy of the database, or from the code that runs."""

import contextlib
import importlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

import psycopg
from psycopg import sql

from agent_memory.adapters.dynamodb_item import key
from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain import uploads
from agent_memory.entrypoints import request
from agent_memory.errors import Forbidden
from agent_memory.service import keys
from tests.isolation.stores import Ground

Connection = psycopg.Connection[Any]
Change = Callable[[Connection], None]
Code = AbstractContextManager[Any]


def each_table(statement: str) -> Change:
    """Do something to each table and partition that has a policy; {0} is the table, {1} its policy."""

    def change(connection: Connection) -> None:
        listed = connection.execute("SELECT schemaname, tablename, policyname FROM pg_policies").fetchall()
        for schema, table, policy in listed:
            connection.execute(sql.SQL(statement).format(sql.Identifier(schema, table), sql.Identifier(policy)))

    return change


def statements(*statements: str) -> Change:
    def change(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return change


def edit_functions(pattern: str, replacement: str) -> Change:
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


def keys_without_tenant(*modules: str) -> Callable[[], Code]:
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


def tenant_also_from(read: Callable[[dict[str, Any]], str | None]) -> Callable[[], Code]:
    """Believe the request about its tenant."""
    authorizers = request._context

    def believing(event: dict[str, Any]) -> dict[str, Any]:
        said = read(event)
        return authorizers(event) | ({"tenant_id": said} if said else {})

    return lambda: patch.object(request, "_context", believing)


def in_headers(event: dict[str, Any]) -> str | None:
    found: str | None = event["headers"].get("x-tenant-id")
    return found


def in_body(event: dict[str, Any]) -> str | None:
    try:
        body = json.loads(event.get("body") or "null")
    except ValueError:
        return None
    return body.get("tenant_id") if isinstance(body, dict) else None


def in_query(event: dict[str, Any]) -> str | None:
    return dict(parse_qsl(event.get("rawQueryString") or "")).get("tenant_id")


def unknown_tenant() -> Code:
    """What a rival does: a request without a context is that of a tenant called unknown."""
    authorizers, unknown = (
        request._context,
        {"tenant_id": "unknown", "scopes": "read write erase admin", "cursor_key": ""},
    )
    return patch.object(request, "_context", lambda event: authorizers(event) or unknown)


def first_tenant_kept() -> Code:
    """A warm function that remembers who called it first for each kind of work."""
    authorizers, kept = request._context, dict[str, Any]()

    def remembering(event: dict[str, Any]) -> Any:
        if not event["rawPath"].startswith(("/v1/state/raced", "/v1/memory/raced")):
            return authorizers(event)
        return kept.setdefault("context", authorizers(event))

    return patch.object(request, "_context", remembering)


@contextlib.contextmanager
def uploads_of_anybody() -> Iterator[None]:
    """Ids of uploads that name no tenant, signed with one key for all, for one place of all."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(keys, "cursor_key", lambda *_: "00"))
        stack.enter_context(patch.object(uploads, "_walk", lambda _: "upload"))
        stack.enter_context(patch.object(uploads, "upload_key", lambda _, name: f"!uploads/all/{name}"))
        yield


def telling(by: str) -> Callable[[Ground], Code]:
    """A store that knows of other tenants' records, and lets on by its words or by its time."""

    def change(ground: Ground) -> Code:
        get = SqlMemoryStore.get

        def telling(self: SqlMemoryStore, tenant_id: str, memory_id: str, now: Any) -> Any:
            found = get(self, tenant_id, memory_id, now)
            if found is None and get(self, ground.victim, memory_id, now) is not None:
                if by == "words":
                    raise Forbidden("this memory is not yours")
                time.sleep(0.3)
            return found

        return patch.object(SqlMemoryStore, "get", telling)

    return change


@contextlib.contextmanager
def copy_of_database(superuser: Connection, copy: str, changes: tuple[Change, ...]) -> Iterator[None]:
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
