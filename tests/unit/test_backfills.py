"""No migration changes tenants' rows but in a loop over the tenants: under FORCE it would silently change nothing."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlparse

from agent_memory.adapters.sql_scripts import migrations
from agent_memory.domain.database import Script

SQL = Path(__file__).parents[2] / "sql"
CHANGE = re.compile(
    r"\b(?:UPDATE\s+(?:ONLY\s+)?|DELETE\s+FROM\s+(?:ONLY\s+)?|INSERT\s+INTO\s+|MERGE\s+INTO\s+|TRUNCATE\s+(?:TABLE\s+)?)"
    r"(?!memory_admin\.)(?:memory\.|%I|\w+\s+(?:AS\s+\w+\s+)?SET\b)",
    re.IGNORECASE,
)
LOOP = re.compile(
    r"\bFOR\s+(\w+)\s+IN\s+SELECT\s+memory\.tenants\(\)\s+LOOP\s+"
    r"PERFORM\s+set_config\('memory\.tenant_id',\s*\1,\s*true\);(?:(?!\bLOOP\b).)*\bEND\s+LOOP\b",
    re.IGNORECASE | re.DOTALL,
)


def stray_changes(statements: Sequence[str]) -> list[str]:
    """Changes of rows outside a loop over the tenants; a function that is only made changes none."""
    found: list[str] = []
    for statement in statements:
        plain = sqlparse.format(statement, strip_comments=True)
        if not re.match(r"CREATE\s+(OR\s+REPLACE\s+)?FUNCTION\b", plain, re.IGNORECASE):
            found += CHANGE.findall(LOOP.sub("", plain))
    return found


@pytest.mark.parametrize("script", migrations(SQL), ids=lambda script: script.name)
def test_a_migration_changes_rows_tenant_by_tenant(script: Script) -> None:
    assert stray_changes(script.statements) == []


BODY = "DO $$ DECLARE tenant text; BEGIN {} END $$"
GOOD = (
    "FOR tenant IN SELECT memory.tenants() LOOP PERFORM set_config('memory.tenant_id', tenant, true);"
    " UPDATE memory.memories AS m SET trust = 'inference' WHERE m.tenant_id = tenant; END LOOP;"
)
STRAY = [
    "UPDATE memory.memories SET trust = 'inference'",
    "update only memory.memories as m set trust = 'inference'",
    "UPDATE memories SET trust = 'inference'",
    "DELETE FROM memory.answers",
    "TRUNCATE memory.answers",
    "INSERT INTO memory.answers SELECT * FROM memory.older",
    "WITH old AS (SELECT 1) DELETE FROM memory.answers",
    "MERGE INTO memory.answers AS a USING memory.older AS o ON a.scope = o.scope WHEN MATCHED THEN DELETE",
    BODY.format("EXECUTE format('UPDATE %I SET trust = $1', 'memories') USING 'inference';"),
    BODY.format("UPDATE memory.memories SET trust = 'inference';"),
    BODY.format(f"{GOOD} DELETE FROM memory.answers;"),  # noqa: S608 (words of this file)
    BODY.format(GOOD.replace(", true", ", false")),
    BODY.format(GOOD.replace("memory.tenants()", "'acme'")),
    BODY.format(GOOD.replace("PERFORM set_config('memory.tenant_id', tenant, true);", "")),
]
FINE = [
    BODY.format(GOOD),
    "GRANT UPDATE (trust), DELETE ON memory.memories TO memory_rw",
    "ALTER TABLE memory.a ADD FOREIGN KEY (tenant_id, b) REFERENCES memory.b ON DELETE CASCADE ON UPDATE SET NULL",
    "SELECT 1 FOR UPDATE -- UPDATE memory.memories SET trust = 'x'",
    "UPDATE memory_admin.schema_jobs SET state = 'pending'",
    "CREATE OR REPLACE FUNCTION memory.f() RETURNS void LANGUAGE sql AS $$ DELETE FROM memory.answers $$",
]


@pytest.mark.parametrize("statement", STRAY)
def test_a_change_of_rows_outside_the_loop_is_found(statement: str) -> None:
    assert stray_changes([statement])


@pytest.mark.parametrize("statement", FINE)
def test_what_changes_no_rows_or_loops_is_fine(statement: str) -> None:
    assert stray_changes([statement]) == []
