"""A migration that changes tenants' rows: in a loop over the tenants it changes all, outside it none."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.db.test_isolation import MEMORY, STORE
from tests.fix_postgres import SQL, Aurora

NEXT = f"{len(list((SQL / 'migrations').glob('*.sql'))) + 1:04}_backfill.sql"
BACKFILL = """-- A test's.
SET LOCAL ROLE memory_owner;
DO $$
DECLARE
    tenant text;
BEGIN
    FOR tenant IN SELECT memory.tenants() LOOP
        PERFORM set_config('memory.tenant_id', tenant, true);
        UPDATE memory.memories AS m SET trust = 'inference' WHERE m.tenant_id = tenant;
    END LOOP;
END $$;
"""
STRAY = "SET LOCAL ROLE memory_owner;\nUPDATE memory.memories SET trust = 'inference';\n"
TENANTS = ["acme", "acme-2", "globex", "z" * 63]


@pytest.fixture
def stored(aurora: Aurora) -> Aurora:
    aurora.migrate().run()
    aurora.enable_login().run("data_api", rotate=False)
    for tenant in TENANTS:
        with psycopg.connect(aurora.app_dsn()) as app:
            app.execute("SELECT memory.enter_tenant(%s)", (tenant,))
            app.execute(STORE, (tenant, MEMORY))
    return aurora


def migrate(aurora: Aurora, tmp_path: Path, script: str) -> list[tuple[Any, ...]]:
    folder = Path(shutil.copytree(SQL, tmp_path / "sql"))
    (folder / "migrations" / NEXT).write_text(script)
    aurora.migrate(folder).run()
    with aurora.superuser() as superuser:
        return superuser.execute("SELECT tenant_id, trust FROM memory.memories ORDER BY tenant_id").fetchall()


def test_in_the_loop_every_tenant_s_rows_change(stored: Aurora, tmp_path: Path) -> None:
    assert migrate(stored, tmp_path, BACKFILL) == [(tenant, "inference") for tenant in TENANTS]

    with stored.superuser() as superuser:  # and the wall stands as before
        assert superuser.execute((SQL / "lint/rls_not_forced.sql").read_text()).fetchall() == []


def test_outside_it_nothing_changes_and_nobody_hears_of_it(stored: Aurora, tmp_path: Path) -> None:
    assert migrate(stored, tmp_path, STRAY) == [(tenant, "direct_user") for tenant in TENANTS]


def test_only_the_owner_may_ask_which_tenants_there_are(migrated: Aurora) -> None:
    with psycopg.connect(migrated.app_dsn()) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT memory.tenants()")

    master = make_conninfo(migrated.superuser_dsn, dbname="memory", user="root1", password="correct horse")
    with psycopg.connect(master) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT memory.tenants()")


PROCEDURE = """SELECT memory.put_procedure(%s, '{"now": "2026-11-20T00:00:00Z", "agent_id": "", "name": "n",
    "content_key": "k", "purposes": [], "most": 9, "models": [],
    "phrases": [{"text": "t", "lexemes": [1]}]}', '{}', '')"""


def test_a_tenant_of_procedures_alone_is_a_tenant(stored: Aurora) -> None:
    with psycopg.connect(stored.app_dsn()) as app:
        app.execute(PROCEDURE, ("initech",))

    with stored.superuser() as superuser:
        superuser.execute("SET ROLE memory_owner")
        told = [tenant for (tenant,) in superuser.execute("SELECT memory.tenants()").fetchall()]
    assert told == sorted([*TENANTS, "initech"])
