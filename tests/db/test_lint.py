"""Questions to the catalogue that must find nothing; each is shown to find what it looks for."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.fix_postgres import SQL, Aurora

TENANT = "(tenant_id = (SELECT nullif(current_setting('memory.tenant_id', true), '')))"
LOOSE = "(tenant_id = current_setting('memory.tenant_id'))"
PLAIN = "CREATE TABLE memory.planted (tenant_id text, id int);"
GUARDED = PLAIN + "ALTER TABLE memory.planted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
BODY = "CREATE FUNCTION memory.planted(tenant text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN {} END $$"
PLANTED = {
    "rls_not_forced": [
        PLAIN,
        PLAIN + "ALTER TABLE memory.planted ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE memory.chunks_p07 NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE memory.memories DISABLE ROW LEVEL SECURITY",
    ],
    "policy_missing": [
        GUARDED,
        GUARDED + f"CREATE POLICY p ON memory.planted TO memory_rw USING {TENANT} WITH CHECK {TENANT}",
        GUARDED + f"CREATE POLICY p ON memory.planted TO memory_rw, memory_owner USING {TENANT}",
        "DROP POLICY chunks_p03_tenant ON memory.chunks_p03",
    ],
    "policy_wider_than_tenant": [
        GUARDED + f"CREATE POLICY p ON memory.planted USING {LOOSE} WITH CHECK {TENANT}",
        "CREATE POLICY p ON memory.memories FOR SELECT USING (true)",
        "ALTER POLICY memories_tenant ON memory.memories WITH CHECK (true)",
    ],
    "key_without_tenant": [
        PLAIN + "CREATE UNIQUE INDEX planted_id_idx ON memory.planted (id)",
        "CREATE TABLE memory.planted (tenant_id text, id bigint GENERATED ALWAYS AS IDENTITY)",
    ],
    "foreign_key_without_index": [
        "CREATE TABLE memory.planted (tenant_id text, id uuid, FOREIGN KEY (tenant_id, id) REFERENCES memory.memories)",
    ],
    "granted_to_public": [
        PLAIN + "GRANT SELECT ON memory.planted TO PUBLIC",
        "GRANT TEMP ON DATABASE memory TO PUBLIC",
    ],
    "granted_past_policies": [
        "GRANT TRUNCATE ON memory.memories TO memory_rw",
        "GRANT REFERENCES (memory_id) ON memory.memories TO memory_app",
    ],
    "partition_granted": ["GRANT SELECT ON memory.chunks_p00 TO memory_rw"],
    "function_unsafe": [
        "CREATE FUNCTION memory.planted() RETURNS int LANGUAGE sql RETURN 1",
        "ALTER FUNCTION memory.readiness() SECURITY DEFINER",
        "ALTER FUNCTION memory.readiness() RESET search_path",
    ],
    "function_carries_out": [
        BODY.format("PERFORM pg_notify('memories', tenant); RETURN 'x';"),
        BODY.format("PERFORM lo_from_bytea(0, convert_to(tenant, 'UTF8')); RETURN 'x';"),
        BODY.format("CREATE TEMPORARY TABLE kept AS SELECT tenant; RETURN 'x';"),
        BODY.format("RAISE NOTICE '%', tenant; RETURN 'x';"),
    ],
    "view_as_owner": ["CREATE VIEW memory.planted AS SELECT * FROM memory.memories"],
    "owner_can_login": [
        "ALTER ROLE memory_owner LOGIN",
        "ALTER ROLE memory_migrator LOGIN",
        "ALTER ROLE memory_rw LOGIN",
        "ALTER ROLE memory_app_iam LOGIN",
        "ALTER ROLE memory_app BYPASSRLS",
        "GRANT memory_migrator TO memory_app",
        "ALTER TABLE memory.chunks_p01 OWNER TO root1",
        "ALTER FUNCTION memory.readiness() OWNER TO root1",
    ],
    "index_not_leakproof": [
        "CREATE INDEX ON memory.memories (tenant_id, lower(content))",
        "CREATE INDEX ON memory.memories USING gin (to_tsvector('english', content))",
        "CREATE INDEX ON memory.memories USING gin (purposes)",
        "CREATE INDEX ON memory.memories (tenant_id, created_at) WHERE content LIKE 'a%'",
    ],
    "statement_without_tenant": [
        BODY.format("RETURN (SELECT max(content) FROM memory.memories);"),
        BODY.format("DELETE FROM memory.answers AS a WHERE a.scope = 'x'; RETURN tenant;"),
        BODY.format(
            "RETURN (SELECT max(m.content) FROM memory.memories AS m JOIN memory.chunks AS c USING (memory_id)"
            " WHERE c.tenant_id = tenant);"
        ),
        BODY.format("EXECUTE 'UPDATE memory.memories SET trust = $1' USING 'inference'; RETURN tenant;"),
    ],
    "setting_unwrapped": [
        GUARDED + f"CREATE POLICY p ON memory.planted USING {TENANT} WITH CHECK {LOOSE}",
        f"CREATE VIEW memory.planted AS SELECT * FROM memory.memories WHERE {LOOSE}",  # noqa: S608 (words of this file)
        BODY.format(f"RETURN (SELECT max(content) FROM memory.memories WHERE {LOOSE});"),  # noqa: S608
    ],
    "tenant_outlives_transaction": [
        BODY.format("RETURN set_config('memory.tenant_id', tenant, false);"),
        BODY.format("SET memory.tenant_id = 'acme'; RETURN set_config('memory.tenant_id', tenant, true);"),
        "ALTER FUNCTION memory.readiness() SET memory.tenant_id = 'acme'",
        "ALTER ROLE memory_app SET memory.tenant_id = 'acme'",
        "ALTER DATABASE memory SET memory.tenant_id = 'acme'",
    ],
}
RULES = sorted((SQL / "lint").glob("*.sql"), key=lambda path: path.stem)
FAULTS = [(rule, fault) for rule in RULES for fault in PLANTED[rule.stem]]


@pytest.mark.parametrize("role", ["postgres", "root1"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_the_schema_breaks_no_rule_whoever_asks(rule: Path, role: str, migrated: Aurora) -> None:
    with migrated.superuser() as superuser:
        superuser.execute(f"SET ROLE {role}")

        assert superuser.execute(rule.read_text()).fetchall() == []


@pytest.mark.parametrize(("rule", "fault"), FAULTS, ids=[f"{rule.stem}: {fault[-40:]}" for rule, fault in FAULTS])
def test_a_planted_fault_is_found(rule: Path, fault: str, migrated: Aurora) -> None:
    with migrated.superuser() as superuser, superuser.transaction() as transaction:
        superuser.execute(fault)
        superuser.execute("SET LOCAL ROLE root1")  # the master user, which is no superuser

        assert superuser.execute(rule.read_text()).fetchall()
        raise psycopg.Rollback(transaction)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.stem)
def test_a_rule_says_why_and_holds_nothing_that_looks_like_a_parameter(rule: Path) -> None:
    """Rules run over the Data API as well, whose parser is unknown."""
    words = rule.read_text()

    assert words.startswith("-- ")
    assert not re.findall(r":\w+|::|;", re.sub("^--.*$", "", words, flags=re.MULTILINE))
