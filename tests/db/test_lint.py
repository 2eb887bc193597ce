"""Questions to the catalogue that must find nothing; each is shown to find what it looks for."""

from pathlib import Path

import psycopg
import pytest

from tests.fix_postgres import SQL, Aurora

TENANT = "(tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))"
LOOSE = "(tenant_id = current_setting('memory.tenant_id'))"
PLAIN = "CREATE TABLE memory.planted (tenant_id text, id int);"
GUARDED = PLAIN + "ALTER TABLE memory.planted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
PLANTED = {
    "rls_not_forced": PLAIN + "ALTER TABLE memory.planted ENABLE ROW LEVEL SECURITY",
    "policy_missing": GUARDED + f"CREATE POLICY p ON memory.planted TO memory_rw USING {TENANT} WITH CHECK {TENANT}",
    "policy_wider_than_tenant": GUARDED + f"CREATE POLICY p ON memory.planted USING {LOOSE} WITH CHECK {TENANT}",
    "key_without_tenant": PLAIN + "CREATE UNIQUE INDEX planted_id_idx ON memory.planted (id)",
    "foreign_key_without_index": "CREATE TABLE memory.planted (tenant_id text, id uuid, FOREIGN KEY (tenant_id, id)"
    " REFERENCES memory.memories)",
    "granted_to_public": PLAIN + "GRANT SELECT ON memory.planted TO PUBLIC",
    "partition_granted": "GRANT SELECT ON memory.chunks_p00 TO memory_rw",
    "function_unsafe": "CREATE FUNCTION memory.planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "view_as_owner": "CREATE VIEW memory.planted AS SELECT * FROM memory.memories",
}
RULES = sorted((SQL / "lint").glob("*.sql"), key=lambda path: path.stem)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_the_schema_breaks_no_rule(rule: Path, migrated: Aurora) -> None:
    with migrated.superuser() as superuser:
        assert superuser.execute(rule.read_text()).fetchall() == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_a_planted_fault_is_found(rule: Path, migrated: Aurora) -> None:
    with migrated.superuser() as superuser, superuser.transaction() as transaction:
        superuser.execute(PLANTED[rule.stem])
        assert superuser.execute(rule.read_text()).fetchall()
        raise psycopg.Rollback(transaction)
