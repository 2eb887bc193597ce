"""Migrations over the Data API, run by a master user that is no superuser."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from agent_memory.adapters.schema_database import DataApiSchema
from agent_memory.domain.migrations import MigrationChanged, MigrationFailed
from agent_memory.service.migrate import Migrate, Migrated, SchemaLocked
from tests.fix_postgres import SQL, Aurora, patience

MIGRATIONS = len(list((SQL / "migrations").glob("*.sql")))
REPEATABLES = len(list((SQL / "repeatable").glob("*.sql")))
ALL = Migrated(MIGRATIONS, MIGRATIONS, REPEATABLES)


class Killed(BaseException):
    """The function's process is gone: it runs no handler and rolls nothing back."""


def dying(aurora: Aurora, calls: int) -> Migrate:
    """Lets a number of calls through and dies in place of the next: what was done is done, and nobody hears of it."""
    client, left = aurora.rest_client(), iter(range(calls))
    live = client.call

    def call(path: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        if next(left, None) is None:
            raise Killed
        return live(path, request, deadline)

    client.call = call  # type: ignore[method-assign]
    return aurora.migrate(schema=DataApiSchema(aurora.as_master(client)))


def ledger(aurora: Aurora) -> list[tuple[Any, ...]]:
    with aurora.superuser() as superuser:
        made = superuser.execute("SELECT to_regclass('memory_admin.ledger') IS NOT NULL").fetchone()
        if made != (True,):
            return []
        return superuser.execute("SELECT * FROM memory_admin.ledger ORDER BY name").fetchall()


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


def test_an_empty_database_gets_everything(aurora: Aurora) -> None:
    assert aurora.migrate().run() == ALL
    assert len(ledger(aurora)) == MIGRATIONS + REPEATABLES


def test_a_second_run_changes_nothing(aurora: Aurora) -> None:
    aurora.migrate().run()
    before = ledger(aurora)

    assert aurora.migrate().run() == Migrated(MIGRATIONS, 0, 0)
    assert ledger(aurora) == before


def test_a_run_killed_at_any_call_is_finished_by_the_next(aurora: Aurora) -> None:
    deaths = calls = seen = 0
    while True:
        try:
            dying(aurora, calls).run()
            break
        except Killed:
            deaths += 1
            aurora.sessions.expire()  # what three minutes without a call do
        done = len(ledger(aurora))
        calls, seen = (0, done) if done > seen else (calls + 1, seen)

    assert deaths > 100  # at every call of every script, each on top of what the deaths before it left
    assert len(ledger(aurora)) == MIGRATIONS + REPEATABLES
    assert aurora.migrate().run() == Migrated(MIGRATIONS, 0, 0)


def test_two_runs_at_the_same_time_share_the_work(aurora: Aurora) -> None:
    done: list[Migrated] = []
    runs = [threading.Thread(target=lambda: done.append(aurora.migrate().run())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()

    assert sum(one.applied for one in done) == MIGRATIONS
    assert sum(one.repeatable for one in done) == REPEATABLES
    assert len(ledger(aurora)) == MIGRATIONS + REPEATABLES


def test_the_lock_of_another_run_is_waited_for_and_then_named(aurora: Aurora) -> None:
    with DataApiSchema(aurora.as_master()).transaction() as other:
        assert other.lock()

        with pytest.raises(SchemaLocked, match="3 minutes"):
            aurora.migrate(within=patience(0.0)).run()

    assert aurora.migrate().run() == ALL


def test_the_transaction_of_a_dead_run_ends_by_itself(aurora: Aurora) -> None:
    aurora.sessions.idle_s = 0.05
    with pytest.raises(Killed):
        dying(aurora, 8).run()

    assert aurora.migrate().run() == ALL


def test_an_applied_migration_that_was_edited_is_refused_by_name(aurora: Aurora, tmp_path: Path) -> None:
    aurora.migrate().run()
    folder = copied(tmp_path)
    (folder / "migrations/0003_memories.sql").write_text("SELECT 1")

    with pytest.raises(MigrationChanged, match="0003_memories"):
        aurora.migrate(folder).run()


def test_an_edited_repeatable_script_runs_again_alone(aurora: Aurora, tmp_path: Path) -> None:
    aurora.migrate().run()
    folder = copied(tmp_path)
    edited = folder / "repeatable/020_readiness.sql"
    edited.write_text(edited.read_text() + "-- edited\n")

    assert aurora.migrate(folder).run() == Migrated(MIGRATIONS, 0, 1)


def test_a_failing_script_is_named_with_its_sqlstate_and_leaves_nothing(aurora: Aurora, tmp_path: Path) -> None:
    folder, bad = copied(tmp_path), f"{MIGRATIONS + 1:04}_bad.sql"
    (folder / f"migrations/{bad}").write_text("CREATE TABLE memory_admin.half (id int);\nSELECT 'pw' + secret;")

    with pytest.raises(MigrationFailed) as failure:
        aurora.migrate(folder).run()

    assert str(failure.value) == f"{bad} failed: 42703"
    assert failure.value.__suppress_context__
    assert len(ledger(aurora)) == MIGRATIONS
    with aurora.superuser() as superuser:
        assert superuser.execute("SELECT to_regclass('memory_admin.half')").fetchone() == (None,)


def test_a_resuming_cluster_is_waited_for(aurora: Aurora) -> None:
    aurora.server.paused = True
    naps: list[float] = []

    def nap(wait: float) -> None:
        naps.append(wait)
        aurora.server.paused = len(naps) < 2

    assert aurora.migrate(within=patience(60, nap)).run() == ALL
    assert len(naps) == 2


def test_an_older_release_runs_on_a_newer_schema(aurora: Aurora, tmp_path: Path) -> None:
    aurora.migrate().run()
    folder = copied(tmp_path)
    max((folder / "migrations").glob("*.sql")).unlink()

    assert aurora.migrate(folder).run() == Migrated(MIGRATIONS - 1, 0, 0)
