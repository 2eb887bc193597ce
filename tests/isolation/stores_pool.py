"""What one tenant's request leaves behind on a connection that the next tenant's request is given."""

from collections.abc import Callable

import psycopg

from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.database import Call, Scalar, StatementRefused
from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Connection, Ground, enter, store_attack

_LEFT = """
    SELECT coalesce(current_setting('memory.tenant_id', true), ''),
        (SELECT count(*) FROM pg_cursors),
        (SELECT count(*) FROM pg_prepared_statements),
        (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
        (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relnamespace = pg_my_temp_schema())
"""
_LIST = "SELECT * FROM memory.list(%s, %s, 1000000)"
_NOW = "2020-01-01T00:00:00Z"


def _asked(ground: Ground) -> str:
    return f'{{"now": "{_NOW}", "agent_id": "{ground.victims["agent_id"]}", "limit": 50}}'


def _victims_request(ground: Ground, connection: Connection) -> None:
    """What the application does for the victim, with an answer to show for it."""
    if not connection.execute(_LIST, (ground.victim, _asked(ground))).fetchall():
        raise Unfilled("the victim's own request finds nothing, so nothing left behind proves nothing")


def _nothing_left(ground: Ground, connection: Connection) -> None:
    left = connection.execute(_LEFT).fetchone()
    if left != ("", 0, 0, 0, 0):
        raise Leak(f"tenant, cursors, prepared statements, locks, temporary tables left on a connection: {left}")
    ground.secret(connection.execute("SELECT m::text FROM memory.memories AS m").fetchall())
    ground.secret(connection.execute("SELECT c::text FROM memory.chunks AS c").fetchall())


@store_attack("pooled connection", "context left over after a request", "dsn")
def after_request(ground: Ground) -> None:
    with psycopg.connect(str(ground.stores.dsn), autocommit=True, prepare_threshold=None) as connection:
        _victims_request(ground, connection)
        _nothing_left(ground, connection)


@store_attack("pooled connection", "context left over after a transaction", "dsn")
def after_transaction(ground: Ground) -> None:
    with psycopg.connect(str(ground.stores.dsn), autocommit=True, prepare_threshold=None) as connection:
        with connection.transaction():
            enter(connection, ground.victim)
            _victims_request(ground, connection)
        _nothing_left(ground, connection)


@store_attack("pooled connection", "an exception between set and query", "dsn")
def after_exception(ground: Ground) -> None:
    """The tenant is said, then the request dies: in SQL, in Python, at the commit, within a savepoint."""
    with psycopg.connect(str(ground.stores.dsn), autocommit=True, prepare_threshold=None) as connection:
        for break_off in _ENDS:
            try:
                with connection.transaction():
                    enter(connection, ground.victim)
                    break_off(connection)
            except (psycopg.Error, ZeroDivisionError):
                pass
            _nothing_left(ground, connection)
        with connection.transaction():
            enter(connection, ground.attacker)
            with connection.transaction(force_rollback=True):
                enter(connection, ground.victim)
            seen = connection.execute("SELECT DISTINCT tenant_id FROM memory.memories").fetchall()
            if seen not in ([], [(ground.attacker,)]):
                raise Leak(f"a savepoint that was rolled back left its tenant: {seen}")


def _sql_error(connection: Connection) -> None:
    connection.execute("SELECT 1 / 0")


def _python_error(_connection: Connection) -> None:
    raise ZeroDivisionError


def _refused(connection: Connection) -> None:
    connection.execute("SELECT memory.enter_tenant('Not A Tenant')")


def _rolled_back(_connection: Connection) -> None:
    raise psycopg.Rollback


_ENDS: tuple[Callable[[Connection], None], ...] = (_sql_error, _python_error, _refused, _rolled_back)


@store_attack("the application's own session", "context left over", "dsn")
def own_session(ground: Ground) -> None:
    """On the connection that the adapter keeps: after a good request, after a refused one, after several at once."""
    database = Postgres(lambda: str(ground.stores.dsn))
    request: dict[str, Scalar] = {"tenant": ground.victim, "request": _asked(ground), "budget": 1_000_000}
    try:
        for calls in (
            [Call("list", request)],
            [Call("list", request), Call("readiness", {})],
            [Call("enter_tenant", {"tenant": ground.victim}), Call("enter_tenant", {"tenant": "Not A Tenant"})],
        ):
            try:
                if calls[0].function == "list" and not database.call_all(calls)[0]:
                    raise Unfilled("the victim's own request finds nothing")
                database.call_all(calls)
            except StatementRefused:
                pass
            # A statement without a WHERE and without a tenant, on the session that all of that was done on.
            for table in ("memories", "chunks", "postings", "memory_revisions", "metadata_entries", "answers"):
                found = _read(database, table)
                if found:
                    raise Leak(f"{found} rows of {table} on a session that was left")
    finally:
        close(database)


def _read(database: Postgres, table: str) -> int:
    rows = database.call(f"{table} AS t, memory.exact_bound", {"tenant": "attack-nobody"})
    return len(rows)


def close(database: Postgres) -> None:
    """Let go of the adapter's connection."""
    kept, database._kept = database._kept, None
    if kept is not None:
        kept.close()
