"""What every real way to the SQL database promises when a server hangs, dies or hangs up."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from agent_memory.adapters import kept
from agent_memory.domain.database import Call, Database
from agent_memory.errors import StoreUnavailable
from tests.contract.probes import add_probes
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora
from tests.relay import Relay

LOCK = 4711
MODES = ["data_api", "direct", "proxy"]


@pytest.fixture(scope="module")
def probed(migrated: Aurora) -> Aurora:
    add_probes(migrated)
    return migrated


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, probed: Aurora, ways: Ways) -> str:
    name = str(request.param)
    ways(name, probed).call("clear_notes", {})
    return name


@pytest.fixture
def reached(mode: str, probed: Aurora, ways: Ways) -> tuple[Database, Relay]:
    """A database that has been used before, and the network in between."""
    database, relay = ways.relayed(mode, probed)
    database.call("read_notes", {})
    return database, relay


@pytest.fixture
def superuser(probed: Aurora) -> Iterator[psycopg.Connection]:
    with probed.superuser() as connection:
        yield connection


def unavailable_after(database: Database, timeout_s: float, *calls: Call) -> float:
    """How long it took the database to say that it is unavailable."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as unavailable:
        database.call_all(calls, timeout_s)
    assert unavailable.value.__cause__ is None
    return time.monotonic() - started


def notes(probed: Aurora) -> list[str]:
    with probed.superuser() as superuser:
        return [note for (note,) in superuser.execute("SELECT note FROM memory.notes ORDER BY note").fetchall()]


@pytest.mark.parametrize("calls", [[Call("read_notes", {})], [Call("write_note", {"note": "a"})] * 2])
def test_a_server_that_hangs_costs_no_more_than_the_time_that_was_given(
    reached: tuple[Database, Relay], probed: Aurora, calls: list[Call]
) -> None:
    database, relay = reached
    relay.state = "silent"

    assert 0.3 < unavailable_after(database, 0.8, *calls) < 2.0

    relay.state = "open"
    assert database.call("read_notes", {}) == []  # and the next call finds a connection that works


def test_a_server_that_accepts_connections_and_then_says_nothing_costs_no_more_either(
    mode: str, probed: Aurora, ways: Ways
) -> None:
    database, relay = ways.relayed(mode, probed)
    relay.state = "silent"

    assert 0.3 < unavailable_after(database, 0.5, Call("read_notes", {})) < 2.0


def test_a_statement_that_may_have_run_is_not_sent_again(
    reached: tuple[Database, Relay], superuser: psycopg.Connection, probed: Aurora
) -> None:
    database, relay = reached
    relay.state = "deaf"
    relay.sent.clear()

    unavailable_after(database, 0.8, Call("write_note", {"note": "once"}))

    relay.state = "open"
    while not notes(probed):  # its answer was lost, and its work was not
        pass
    assert relay.connections == 1
    assert relay.sent.count(b"write_note") <= 1  # none is legible under TLS


def test_of_calls_whose_connection_breaks_all_happen_or_none(
    reached: tuple[Database, Relay], superuser: psycopg.Connection, probed: Aurora
) -> None:
    database, relay = reached
    a, b = Call("write_note", {"note": "a"}), Call("write_note", {"note": "b"})
    waiting = blocked(superuser, database, a, Call("wait_for_lock", {"key": LOCK}), b)

    relay.cut()
    waiting.join()

    superuser.execute("SELECT pg_advisory_unlock_all()")
    while superuser.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchone():
        probed.sessions.expire()  # the Data API knows of no connection, so it rolls back after three minutes
    assert notes(probed) in ([], ["a", "b"])
    assert database.call("write_note", {"note": "c"})


def test_of_calls_whose_backend_is_killed_nothing_has_happened(
    reached: tuple[Database, Relay], superuser: psycopg.Connection, probed: Aurora
) -> None:
    database, _ = reached
    a, b = Call("write_note", {"note": "a"}), Call("write_note", {"note": "b"})
    waiting = blocked(superuser, database, a, Call("wait_for_lock", {"key": LOCK}), b)

    superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    waiting.join()

    assert notes(probed) == []
    assert database.call("write_note", {"note": "c"})


def test_a_connection_that_ended_while_idle_is_replaced_unnoticed(reached: tuple[Database, Relay]) -> None:
    database, relay = reached
    relay.cut()

    assert database.call("write_note", {"note": "a"}) == [{"written": "a"}]
    assert relay.connections == 2


def test_a_connection_is_kept_and_used_again(reached: tuple[Database, Relay]) -> None:
    database, relay = reached
    for _ in range(10):
        database.call("read_notes", {})

    assert relay.connections == 1


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    reached: tuple[Database, Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall may have forgotten it, and then nothing on it is ever answered."""
    database, relay = reached
    monkeypatch.setattr(kept, "_IDLE_LIMIT_S", 0.0)

    database.call("read_notes", {})

    assert relay.connections == 2


def blocked(superuser: psycopg.Connection, database: Database, *calls: Call) -> threading.Thread:
    """A thread that is to hear that the database is unavailable; its calls wait for the lock that is held here."""
    superuser.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    thread = threading.Thread(target=unavailable_after, args=(database, 10.0, *calls))
    thread.start()
    while not superuser.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone():
        pass
    return thread
