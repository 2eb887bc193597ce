"""How a search is planned: by what a tenant has and never by statistics; and what it then really reads."""

import json
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fix_postgres import Aurora

Connection = psycopg.Connection[Any]

SMALL, MEDIUM, LARGE = 30, 800, 2600  # the last is over the bound up to which a search is exact
NOW = "2026-11-20T09:30:00Z"
# As many dimensions as tests need to tell vectors apart; the others are zero, as of a smaller model.
_DIMENSIONS = 16
_FILL = """
WITH made AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, n, CAST('2026-01-01' AS timestamptz) + n * interval '1 minute' AS at
    FROM generate_series(1, %(rows)s) AS n
), kept AS (
    INSERT INTO memory.memories (tenant_id, memory_id, agent_id, namespace, user_id, session_id, content, trust,
        occurred_at, created_at, updated_at, chunk_count)
    SELECT %(tenant)s, id, 'agent-' || n %% 2, CASE WHEN n %% 900 = 1 THEN 'rare' ELSE 'default' END,
        CASE WHEN n %% 100 = 1 THEN 'ana' ELSE 'bob' END, CASE WHEN n %% 100 = 2 THEN 's' END, 'text ' || n,
        'inference', at, at, at, 1
    FROM made RETURNING memory_id
), entries AS (
    INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id)
    SELECT %(tenant)s, '00000000-0000-0000-0000-000000000001', id FROM made WHERE n %% 100 = 3
)
INSERT INTO memory.chunks (tenant_id, memory_id, ordinal, agent_id, namespace_key, user_key, session_key, purpose_mask,
    occurred_at, starts_at, ends_at, model, dimensions, embedding)
SELECT %(tenant)s, id, 0, 'agent-' || n %% 2, memory.key_of(CASE WHEN n %% 900 = 1 THEN 'rare' ELSE 'default' END),
    memory.key_of(CASE WHEN n %% 100 = 1 THEN 'ana' ELSE 'bob' END), memory.key_of(CASE WHEN n %% 100 = 2 THEN 's' END),
    0, at, 0, 4, 'm', 16,
    CAST('[' || (SELECT string_agg(CAST(random() - 0.5 + (d + n) * 0 AS text), ',') FROM generate_series(1, 16) AS d)
        || repeat(',0', 1008) || ']' AS public.halfvec)
FROM made
"""


@pytest.fixture(scope="module", params=["never analysed", "half analysed", "analysed and vacuumed"])
def filled(request: pytest.FixtureRequest, superuser_dsn: str, migrated: Aurora) -> Iterator[Aurora]:
    """Three tenants in one partition, so that the small ones share it with a large one."""
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.memories CASCADE")
        superuser.execute("SELECT setseed(0.5)")
        superuser.execute("ALTER TABLE memory.chunks_p00 SET (autovacuum_enabled = off)")
        for tenant, rows in zip(_neighbours(superuser), (SMALL, MEDIUM, LARGE), strict=True):
            superuser.execute(_FILL, {"tenant": tenant, "rows": rows})
        if request.param == "half analysed":  # as autovacuum leaves it, which takes one table after the other
            superuser.execute("ANALYZE memory.memories")
        if request.param == "analysed and vacuumed":
            superuser.execute("VACUUM (ANALYZE) memory.memories, memory.chunks, memory.metadata_entries")
    yield migrated
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.memories CASCADE")


def _neighbours(superuser: Connection) -> list[str]:
    """Names of three tenants that hash into one partition."""
    sql = """
        SELECT name FROM (SELECT 'tenant-' || n AS name, n FROM generate_series(1, 500) AS n) AS named
        WHERE satisfies_hash_partition(CAST('memory.chunks' AS regclass), 16, 0, name COLLATE "C")
        ORDER BY n LIMIT 3
    """
    return [name for (name,) in superuser.execute(sql)]


@pytest.fixture
def app(filled: Aurora) -> Iterator[Connection]:
    """The application's role, in a transaction that is rolled back."""
    with psycopg.connect(filled.app_dsn(), row_factory=dict_row, prepare_threshold=None) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def tenants(filled: Aurora) -> dict[str, str]:
    with filled.superuser() as superuser:
        return dict(zip(("small", "medium", "large"), _neighbours(superuser), strict=True))


def plan(app: Connection, tenant: str, asked: dict[str, Any]) -> str:
    app.execute("SELECT memory.enter_tenant(%s)", (tenant,))
    row = app.execute(
        "SELECT plan FROM memory.nearest_plan(%s, %s)", (tenant, json.dumps(_keyed(app, asked)))
    ).fetchone()
    assert row
    return str(row["plan"])


def _keyed(app: Connection, asked: dict[str, Any]) -> dict[str, Any]:
    keys = {}
    for name in {"namespace", "user_id", "session_id"} & asked.keys():
        row = app.execute("SELECT memory.key_of(%s) AS key", (asked[name],)).fetchone()
        assert row
        keys[name.removesuffix("_id") + "_key"] = row["key"]
    rarest = {"rarest": asked["entries"][0]} if "entries" in asked else {}
    return {"now": NOW} | asked | keys | rarest


def a_vector(seed: int = 7) -> str:
    numbers = random.Random(seed)  # noqa: S311 - the same vector in each run
    return f"[{','.join(f'{numbers.uniform(-0.5, 0.5):.5f}' for _ in range(_DIMENSIONS))}{',0' * (1024 - _DIMENSIONS)}]"


def search(app: Connection, tenant: str, seed: int = 7, **asked: Any) -> list[str]:
    request = {"now": NOW, "mode": "vector", "model": "m", "top_k": 10, "reach": 2.0} | asked
    rows = app.execute(
        "SELECT * FROM memory.search(tenant => %s, request => %s, query => %s, budget => 1000000)",
        (tenant, json.dumps(request), a_vector(seed)),
    ).fetchall()
    return [row["id"] for row in rows]


def explained(app: Connection, tenant: str, name: str, asked: dict[str, Any]) -> str:
    """The plan of the very statement that the function runs, under the very settings that it runs it with."""
    app.execute("SELECT memory.enter_tenant(%s)", (tenant,))
    keyed = json.dumps(_keyed(app, asked))
    row = app.execute(
        "SELECT proconfig, memory.nearest_sql(%s, %s) AS statement FROM pg_proc WHERE oid = 'memory.nearest'::regproc",
        (name, keyed),
    ).fetchone()
    assert row
    for setting, _, value in (each.partition("=") for each in row["proconfig"]):
        app.execute("SELECT set_config(%s, %s, true)", (setting, value))
    app.execute("SELECT set_config('enable_sort', %s, true)", ("off" if name == "graph" else "on",))
    statement = row["statement"].replace("$1", "%(t)s").replace("$2", "CAST(%(q)s AS public.halfvec)")
    statement = statement.replace("$3", "%(m)s").replace("$4", "CAST(%(a)s AS jsonb)").replace("$5", "NULL")
    client = psycopg.ClientCursor(app)
    client.execute("EXPLAIN (ANALYZE, COSTS OFF) " + statement, {"t": tenant, "q": a_vector(), "m": "m", "a": keyed})
    return "\n".join(
        str(next(iter(line.values())) if isinstance(line, dict) else line[0]) for line in client.fetchall()
    )


def read(app: Connection) -> dict[str, tuple[int, int]]:
    """Scans and tuples of each index and table of the schema in this transaction, those that were read."""
    rows = app.execute("""
        SELECT relname, relkind, pg_stat_get_xact_numscans(oid) AS scans,
            pg_stat_get_xact_tuples_returned(oid) AS tuples
        FROM pg_class WHERE relnamespace = CAST('memory' AS regnamespace) AND relkind IN ('i', 'r')
          AND pg_stat_get_xact_numscans(oid) > 0
    """).fetchall()
    return {row["relname"]: (row["scans"], row["tuples"]) for row in rows}


@pytest.mark.parametrize(
    ("size", "asked", "expected"),
    [
        ("small", {}, "scope"),
        ("medium", {}, "scope"),
        ("large", {}, "graph"),
        ("large", {"agent_id": "agent-1"}, "scope"),
        ("large", {"agent_id": "nobody"}, "scope"),
        ("large", {"user_id": "ana"}, "user"),
        ("large", {"user_id": "bob"}, "graph"),
        ("large", {"session_id": "s"}, "session"),
        ("large", {"entries": ["00000000-0000-0000-0000-000000000001"]}, "metadata"),
        ("large", {"from": "2026-01-01T00:10:00Z", "to": "2026-01-01T00:40:00Z"}, "time"),
        ("large", {"namespace": "rare"}, "graph"),
        ("medium", {"user_id": "ana"}, "scope"),
    ],
    ids=str,
)
def test_the_plan_follows_what_there_is_to_read(
    app: Connection, tenants: dict[str, str], size: str, asked: dict[str, Any], expected: str
) -> None:
    assert plan(app, tenants[size], asked) == expected


def test_an_exact_search_reads_the_covering_index_of_its_tenant_alone(app: Connection, tenants: dict[str, str]) -> None:
    for size in ("small", "medium"):
        lines = explained(app, tenants[size], "scope", {})

        assert "Index Only Scan using chunks_p00_hnsw_key" in lines, lines
        assert "Seq Scan" not in lines
        assert "chunks_p00" in lines
        assert not any(f"chunks_p{other:02}" in lines for other in range(1, 16))


def test_a_search_of_a_large_tenant_reads_the_graph_of_its_partition(app: Connection, tenants: dict[str, str]) -> None:
    lines = explained(app, tenants["large"], "graph", {})

    assert "Index Scan using chunks_p00_hnsw_graph" in lines
    assert "Sort" not in lines
    assert not any(f"chunks_p{other:02}" in lines for other in range(1, 16))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("user", {"user_id": "ana"}),
        ("session", {"session_id": "s"}),
        ("metadata", {"entries": ["00000000-0000-0000-0000-000000000001"]}),
        ("time", {"from": "2026-01-01T00:10:00Z", "to": "2026-01-01T00:40:00Z"}),
    ],
)
def test_a_narrowed_search_looks_up_the_chunks_of_what_is_left(
    app: Connection, tenants: dict[str, str], name: str, asked: dict[str, Any]
) -> None:
    lines = explained(app, tenants["large"], name, asked)

    assert "Seq Scan" not in lines
    assert "Nested Loop" in lines
    assert "Hash" not in lines
    assert "Index Only Scan using chunks_p00_hnsw_key" in lines
    assert lines.count("memory_id = ") >= 2  # memories and chunks are looked up one by one


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
@pytest.mark.parametrize(("size", "most"), [("small", SMALL), ("medium", MEDIUM)])
def test_a_real_search_reads_no_row_of_another_tenant(
    app: Connection, tenants: dict[str, str], size: str, most: int, mode: str
) -> None:
    app.execute("SELECT set_config('plan_cache_mode', %s, true)", (mode,))
    for seed in range(8):  # often enough for a generic plan to be taken
        assert len(search(app, tenants[size], seed)) == 10

    reads = read(app)
    tables = {
        name for name, (_, tuples) in reads.items() if tuples and not name.endswith(("_idx", "_pkey", "_key", "_graph"))
    }
    assert tables == set(), f"sequential scans: {tables}"
    assert "chunks_p00_hnsw_graph" not in reads
    # Each time all rows of the tenant, one to see which partition it is in, and the ten that were found.
    assert reads["chunks_p00_hnsw_key"][1] <= 8 * (most + 1 + 10)
    assert all(tuples <= 8 * (most + 60) for _, tuples in reads.values()), reads


def test_an_exact_search_finds_exactly_the_nearest(app: Connection, filled: Aurora, tenants: dict[str, str]) -> None:
    for size in ("small", "medium", "large"):
        asked = {"agent_id": "agent-0"} if size == "large" else {}
        for seed in range(5):
            assert search(app, tenants[size], seed, **asked) == nearest(filled, tenants[size], seed, asked)


def test_the_graph_finds_nearly_all_of_the_nearest(app: Connection, filled: Aurora, tenants: dict[str, str]) -> None:
    found = 0
    for seed in range(20):
        ids = search(app, tenants["large"], seed)
        assert len(ids) == 10
        found += len(set(ids) & set(nearest(filled, tenants["large"], seed, {})))

    assert found >= 190


def test_where_the_graph_comes_to_its_end_the_exact_search_answers(app: Connection, tenants: dict[str, str]) -> None:
    assert plan(app, tenants["large"], {"namespace": "rare"}) == "graph"

    assert len(search(app, tenants["large"], namespace="rare")) == LARGE // 900 + 1


def test_rows_that_nobody_vacuumed_hide_nothing(filled: Aurora, app: Connection, tenants: dict[str, str]) -> None:
    app.execute("SELECT memory.enter_tenant(%s)", (tenants["large"],))
    app.execute("DELETE FROM memory.memories WHERE agent_id = 'agent-1'")

    left = search(app, tenants["large"])

    assert len(left) == 10
    assert left == nearest(filled, tenants["large"], 7, {"agent_id": "agent-0"})


def test_a_tenant_without_anything_finds_nothing_quickly(app: Connection) -> None:
    assert search(app, "a-fresh-tenant") == []
    assert all(tuples == 0 for name, (_, tuples) in read(app).items() if name.startswith("chunks"))


def nearest(filled: Aurora, tenant: str, seed: int, asked: dict[str, Any]) -> list[str]:
    """The truth, by a superuser's scan."""
    with filled.superuser() as superuser:
        rows = superuser.execute(
            "SELECT CAST(memory_id AS text) FROM memory.chunks WHERE tenant_id = %(t)s"
            " AND agent_id = coalesce(%(a)s, agent_id) ORDER BY embedding <=> CAST(%(q)s AS halfvec), memory_id"
            " LIMIT 10",
            {"t": tenant, "a": asked.get("agent_id"), "q": a_vector(seed)},
        )
        return [memory_id for (memory_id,) in rows]
