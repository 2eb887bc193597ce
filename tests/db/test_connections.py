"""One connection of PostgreSQL's own protocol: what is sent on it, what stays behind on it, and who it trusts."""

import os
import signal
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from agent_memory.adapters.postgres import Postgres, TokenLogin
from agent_memory.domain.database import Call, Database, StatementRefused
from agent_memory.errors import StoreUnavailable
from tests.certificates import Authority
from tests.contract.probes import add_probes
from tests.debian_servers import Server, token
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora

NOTE = Call("write_note", {"note": "a"})
WAIT = Call("wait_for_lock", {"key": 4711})


@pytest.fixture(scope="module")
def probed(migrated: Aurora) -> Aurora:
    add_probes(migrated)
    return migrated


@pytest.fixture(autouse=True)
def no_notes(probed: Aurora) -> None:
    with probed.superuser() as superuser:
        superuser.execute("DELETE FROM memory.notes")


def messages(sent: bytes) -> str:
    """The types of the messages of PostgreSQL's protocol."""
    kinds, at = "", 0
    while at < len(sent):
        kinds += chr(sent[at])
        at += 1 + struct.unpack_from("!I", sent, at + 1)[0]
    return kinds


def test_a_call_is_one_round_trip_and_nothing_is_prepared_or_set(probed: Aurora, ways: Ways) -> None:
    database, relay = ways.relayed("direct", probed)
    database.call("read_notes", {})
    relay.sent.clear()

    for _ in range(10):
        database.call("say_again", {"t": "a", "i": 1, "f": 0.1, "b": True, "d": b"x"})

    assert messages(bytes(relay.sent)) == "PBDES" * 10  # parse, bind, describe, execute, sync
    assert relay.sent.count(b"P" + struct.pack("!I", relay.sent.index(b"B") - 1) + b"\x00SELECT") == 10  # unnamed


def test_several_calls_are_one_round_trip_too(probed: Aurora, ways: Ways) -> None:
    database, relay = ways.relayed("direct", probed)
    database.call("read_notes", {})
    relay.sent.clear()

    database.call_all([NOTE, Call("read_notes", {})])

    assert messages(bytes(relay.sent)) == "PBDEPBDES"


def test_what_is_refused_at_the_commit_is_refused(probed: Aurora, ways: Ways) -> None:
    """The key of the notes is only looked at then."""
    database = ways("direct", probed)

    with pytest.raises(StatementRefused, match="23505"):
        database.call_all([NOTE, NOTE])

    assert database.call("read_notes", {}) == []


@pytest.mark.parametrize("mode", ["direct", "proxy"])
def test_a_text_does_not_end_at_a_zero_byte_but_is_refused(probed: Aurora, ways: Ways, mode: str) -> None:
    with pytest.raises(StatementRefused, match="22021"):
        ways(mode, probed).call("write_note", {"note": "a\x00b"})


def backend_of(database: Database) -> int:
    (row,) = database.call("who_serves", {})
    return int(str(row["pid"]))


def await_end(pid: int) -> None:
    while Path(f"/proc/{pid}").exists():
        pass


def test_a_backend_that_was_stopped_holds_nothing_once_it_wakes(probed: Aurora, ways: Ways) -> None:
    database = ways("direct", probed)
    backend = backend_of(database)
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            database.call_all([NOTE, WAIT], 0.5)
        assert backend_of(database) != backend  # another one serves meanwhile
    finally:
        os.kill(backend, signal.SIGCONT)

    await_end(backend)
    assert database.call("wait_for_lock", WAIT.arguments) == [{"held": True}]


def test_a_backend_that_was_terminated_while_idle_is_replaced_unnoticed(probed: Aurora, ways: Ways) -> None:
    database = ways("direct", probed)
    backend = backend_of(database)
    with probed.superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s)", (backend,))
    await_end(backend)

    assert database.call("write_note", {"note": "a"}) == [{"written": "a"}]


def test_nothing_stays_behind_on_a_pooled_connection(probed: Aurora, ways: Ways) -> None:
    proxy = ways.proxy(probed, pool_size=1)
    login = proxy.login("memory_app", token(proxy.port, "memory_app"))
    database = Postgres(login)
    for _ in range(10):
        assert database.call("enter_tenant", {"tenant": "acme"})
    with pytest.raises(StatementRefused):
        database.call_all([Call("enter_tenant", {"tenant": "acme"}), Call("refuse", {"code": "22023"})])

    with psycopg.connect(login(), autocommit=True, prepare_threshold=None) as next_client:
        left = next_client.execute(
            "SELECT pg_backend_pid(), coalesce(current_setting('memory.tenant_id', true), ''),"
            " (SELECT count(*) FROM pg_prepared_statements)"
        ).fetchone()

    assert left == (backend_of(database), "", 0)


@pytest.fixture
def proxy(probed: Aurora, ways: Ways) -> Server:
    return ways.proxy(probed)


def test_a_proxy_is_believed_by_its_certificate_alone(proxy: Server, tmp_path: Path) -> None:
    login = proxy.login("memory_app", token(proxy.port, "memory_app"))
    stranger = Authority(tmp_path, "stranger")

    assert Postgres(login).call("readiness", {})
    refuses(replace(login, ca_path=str(stranger.path)), "certificate verify failed")
    refuses(replace(login, host="127.0.0.1"), "does not match host name")


@pytest.fixture
def cluster(tls_postgres: tuple[Server, str]) -> Iterator[tuple[Server, psycopg.Connection]]:
    """A cluster with TLS, and its superuser in the database `memory`."""
    server, dsn = tls_postgres
    with psycopg.connect(dsn, autocommit=True) as superuser:
        superuser.execute("DROP DATABASE IF EXISTS memory WITH (FORCE)")
        superuser.execute("DROP ROLE IF EXISTS memory_app_iam")
        superuser.execute("CREATE DATABASE memory")
    with psycopg.connect(dsn, autocommit=True, dbname="memory") as superuser:
        superuser.execute("CREATE ROLE memory_app_iam LOGIN")
        superuser.execute("CREATE SCHEMA memory")
        superuser.execute("GRANT USAGE ON SCHEMA memory TO memory_app_iam")
        superuser.execute("CREATE FUNCTION memory.readiness() RETURNS TABLE (ok boolean) RETURN true")
        yield server, superuser


def test_a_cluster_is_believed_by_its_certificate_alone(
    cluster: tuple[Server, psycopg.Connection], tmp_path: Path
) -> None:
    server, superuser = cluster
    made = token(server.port, "memory_app_iam")
    superuser.execute(f"ALTER ROLE memory_app_iam PASSWORD '{made}'")
    login = server.login("memory_app_iam", made)

    assert Postgres(login).call("readiness", {}) == [{"ok": True}]
    refuses(replace(login, ca_path=str(Authority(tmp_path, "stranger").path)), "certificate verify failed")
    refuses(replace(login, host="127.0.0.1"), "does not match host name")


def test_every_connection_logs_in_with_a_token_of_its_own(cluster: tuple[Server, psycopg.Connection]) -> None:
    server, superuser = cluster
    first, second = (token(server.port, "memory_app_iam", minute) for minute in (0, 15))
    superuser.execute(f"ALTER ROLE memory_app_iam PASSWORD '{first}'")
    tokens = iter([first, second])
    database = Postgres(replace(server.login("memory_app_iam", ""), token=lambda: next(tokens)))
    assert database.call("readiness", {})
    superuser.execute(f"ALTER ROLE memory_app_iam PASSWORD '{second}'")

    assert database.call("readiness", {})  # the connection outlives its token
    refuses(server.login("memory_app_iam", first), "password authentication failed")
    superuser.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'memory_app_iam'")
    assert database.call("readiness", {})
    assert list(tokens) == []


def refuses(login: TokenLogin, words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        psycopg.connect(login())
    with pytest.raises(StoreUnavailable) as unavailable:
        Postgres(login).call("readiness", {})
    assert unavailable.value.message == "the database did not answer"
