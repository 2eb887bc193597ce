"""Which scripts are due, how files are split, and that frozen ones stay as they are."""

import hashlib
import re
from pathlib import Path

import pytest

from agent_memory.adapters.sql_scripts import migrations, read_script, repeatables
from agent_memory.domain.database import Script
from agent_memory.domain.migrations import (
    MigrationChanged,
    MigrationOutOfOrder,
    due_migrations,
    due_repeatables,
)

SQL = Path(__file__).parents[2] / "sql"
ONE, TWO, THREE = (Script(f"000{number}_x.sql", str(number), ()) for number in (1, 2, 3))
EVERY = [*migrations(SQL), *repeatables(SQL)]


def named(script: Script) -> str:
    return script.name


def test_on_an_empty_ledger_everything_is_due_in_order() -> None:
    assert due_migrations([ONE, TWO], {}) == [ONE, TWO]


def test_what_was_applied_is_not_due() -> None:
    assert due_migrations([ONE, TWO], {ONE.name: ONE.sha256}) == [TWO]


def test_an_applied_migration_that_changed_is_named() -> None:
    with pytest.raises(MigrationChanged, match="0001_x"):
        due_migrations([ONE, TWO], {ONE.name: "other"})


def test_a_migration_behind_the_newest_applied_one_is_named() -> None:
    with pytest.raises(MigrationOutOfOrder, match=r"0002_x.* before 0003_x"):
        due_migrations([ONE, TWO, THREE], {ONE.name: ONE.sha256, THREE.name: THREE.sha256})


def test_a_ledger_that_knows_more_is_a_newer_release_s() -> None:
    assert due_migrations([ONE], {ONE.name: ONE.sha256, TWO.name: TWO.sha256}) == []


def test_repeatable_scripts_are_due_when_new_or_changed() -> None:
    assert due_repeatables([ONE, TWO, THREE], {ONE.name: ONE.sha256, TWO.name: "other"}) == [TWO, THREE]


def test_migrations_are_frozen() -> None:
    lines = (SQL / "migrations/frozen.txt").read_text().splitlines()
    frozen = {name: digest for digest, name in map(str.split, lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (SQL / "migrations").glob("*.sql")}

    assert found == frozen, "a migration changed, or a new one is missing: sha256sum *.sql > frozen.txt for new ones"


def test_migrations_are_numbered_without_gaps() -> None:
    assert [script.version for script in migrations(SQL)] == list(range(1, len(migrations(SQL)) + 1))


@pytest.mark.parametrize("script", EVERY, ids=named)
def test_a_script_waits_neither_for_locks_nor_for_the_data_api_s_limit(script: Script) -> None:
    assert script.statements[:2] == ("SET LOCAL lock_timeout = '5s';", "SET LOCAL statement_timeout = '40s';")


@pytest.mark.parametrize("script", EVERY, ids=named)
def test_nothing_in_a_script_looks_like_a_parameter(script: Script) -> None:
    """The Data API's own parser is unknown; nothing for it to misread is left, in strings and bodies neither."""
    assert not [word for statement in script.statements for word in re.findall(r"(?<!:):\w+|::", statement)]


@pytest.mark.parametrize("path", sorted(SQL.glob("[mr]*/*.sql")), ids=lambda path: path.name)
def test_a_script_says_what_it_is_for_and_is_short(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert lines[0].startswith("-- ")
    assert len(lines) <= 170


FUNCTION = """CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF true THEN RETURN 1; END IF; -- it's; fine
    CASE 1 WHEN 1 THEN NULL; END CASE;
END $$;
SELECT 2;"""
BLOCK = """DO $x$ BEGIN FOR i IN 1..2 LOOP PERFORM 1; END LOOP; END $x$;
GRANT a TO b;
CREATE TABLE IF NOT EXISTS t (a int -- x;
);"""
QUOTES = "/* a; b */ SELECT ';' || $$;$$ || $a$ $$; $a$; SELECT 'it''s; so', E'\\';';"


@pytest.mark.parametrize(
    ("body", "statements"),
    [
        ("SELECT 1; SELECT 2;", ["SELECT 1;", "SELECT 2;"]),
        ("-- why; it's so\nSELECT 1;\n-- the end; really\n", ["SELECT 1;"]),
        ("  \n-- only words; no statement\n", []),
        (QUOTES, ["SELECT ';' || $$;$$ || $a$ $$; $a$;", "SELECT 'it''s; so', E'\\';';"]),
        (FUNCTION, [FUNCTION.removesuffix("\nSELECT 2;"), "SELECT 2;"]),
        (BLOCK, BLOCK.split("\n", 2)),
    ],
)
def test_files_are_split_into_single_statements(tmp_path: Path, body: str, statements: list[str]) -> None:
    path = tmp_path / "0001_x.sql"
    path.write_text(body)

    assert list(read_script(path).statements) == statements


def test_a_statement_over_the_data_api_s_limit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "0001_long.sql"
    path.write_text(f"SELECT '{'x' * 65_536}';")

    with pytest.raises(ValueError, match="0001_long"):
        read_script(path)
