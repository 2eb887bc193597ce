"""How a search is planned: by what a tenant has and never by statistics; and what it then really reads."""

import json
import re
from typing import Any

import psycopg
import pytest

from tests.db.vectors import COMMON_ENTRY, NOW, RARE_ENTRY, a_vector
from tests.fix_vectors import LARGE, MEDIUM, SMALL, Connection, Filled, search

_DURING = "m.purposes = '{}' AND m.occurred_at BETWEEN '2026-01-01T05:00:00Z' AND '2026-01-02T06:00:00Z'"
_TAGGED = (
    "m.purposes = '{}' AND EXISTS (SELECT FROM memory.metadata_entries AS e WHERE e.tenant_id = m.tenant_id"
    f" AND e.memory_id = m.memory_id AND e.entry = '{COMMON_ENTRY}')"
)


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


def explained(app: Connection, tenant: str, name: str, asked: dict[str, Any]) -> str:
    """The plan of the very statement that the function runs, under the very settings that it runs it with."""
    app.execute("SELECT memory.enter_tenant(%s)", (tenant,))
    keyed = json.dumps(_keyed(app, asked))
    row = app.execute(
        "SELECT proconfig, CASE %(n)s WHEN 'bits' THEN memory.bits_sql(%(a)s, false)"
        " ELSE memory.nearest_sql(%(n)s, %(a)s) END AS statement FROM pg_proc WHERE oid = CAST(%(f)s AS regproc)",
        {"n": name, "a": keyed, "f": "memory.nearest_by_bits" if name == "bits" else "memory.nearest"},
    ).fetchone()
    assert row
    for setting, _, value in (each.partition("=") for each in row["proconfig"]):
        app.execute("SELECT set_config(%s, %s, true)", (setting, value))
    app.execute("SELECT set_config('enable_sort', %s, true)", ("off" if name == "graph" else "on",))
    statement = row["statement"].replace("$1", "%(t)s").replace("$2", "CAST(%(q)s AS public.halfvec)")
    statement = statement.replace("$3", "%(m)s").replace("$4", "CAST(%(a)s AS jsonb)")
    statement = statement.replace("$5", "200" if name == "bits" else "NULL").replace("$6", "80").replace("$7", "200")
    statement = statement.replace("$8", "memory.bits_step(CAST(%(q)s AS public.halfvec))")
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
        ("large", {"entries": [RARE_ENTRY]}, "metadata"),
        ("large", {"from": "2026-01-01T00:10:00Z", "to": "2026-01-01T00:40:00Z"}, "time"),
        ("large", {"from": "2026-01-01T00:10:00Z", "to": "2026-01-01T16:40:00Z"}, "graph"),
        ("large", {"namespace": "rare"}, "graph"),
        ("medium", {"user_id": "ana"}, "scope"),
    ],
    ids=str,
)
def test_the_plan_follows_what_there_is_to_read(
    app: Connection, filled: Filled, size: str, asked: dict[str, Any], expected: str
) -> None:
    if filled.layout == "quantized" and (expected == "graph" or (expected == "scope" and _rows(size, asked) > 200)):
        expected = "user" if "user_id" in asked and asked["user_id"] == "ana" else "bits"

    assert plan(app, filled.tenants[size], asked) == expected


def _rows(size: str, asked: dict[str, Any]) -> int:
    rows = {"small": SMALL, "medium": MEDIUM, "large": LARGE}[size]
    return {"agent-1": rows // 2, "nobody": 0}.get(asked.get("agent_id", ""), rows)


def test_an_exact_search_reads_the_index_of_its_tenant_alone(app: Connection, filled: Filled) -> None:
    only = "Only " if filled.layout == "hnsw" else ""  # the other index does not hold the vectors
    for size in ("small", "medium"):
        lines = explained(app, filled.tenants[size], "scope", {})

        assert f"Index {only}Scan using {filled.key}" in lines, lines
        assert "Seq Scan" not in lines
        assert "chunks_p00" in lines
        assert not any(f"chunks_p{other:02}" in lines for other in range(1, 16))


def test_a_search_of_a_large_tenant_reads_the_graph_or_the_bits_of_its_partition(
    app: Connection, filled: Filled
) -> None:
    lines = explained(app, filled.tenants["large"], "graph" if filled.layout == "hnsw" else "bits", {})

    if filled.layout == "hnsw":
        assert "Index Scan using chunks_p00_hnsw_graph" in lines
        assert "Sort" not in lines
    else:
        # Bits from the index alone; then the vectors of 80 candidates, found by their memory or by their whole key.
        assert f"Index Only Scan using {filled.key}" in lines, lines
        assert re.search(
            rf"Index Scan using (chunks_p00_memory_id_idx|{filled.key}) on chunks_p00 c_1 .*loops=80", lines
        )
        assert lines.count("namespace_key = s.namespace_key") == 2, lines
        assert re.search(rf"Index Scan using {filled.key} on chunks_p00 c_2 \(never executed\)", lines), lines
        assert "Seq Scan" not in lines
    assert not any(f"chunks_p{other:02}" in lines for other in range(1, 16))


def test_metadata_that_many_have_is_a_set_that_bits_are_chosen_among(app: Connection, filled: Filled) -> None:
    if filled.layout == "hnsw":
        return
    lines = explained(app, filled.tenants["large"], "bits", {"entries": [COMMON_ENTRY]})

    assert "hashed SubPlan" in lines, lines
    assert "Index Only Scan using metadata_entries_pkey" in lines
    assert "Seq Scan" not in lines


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("user", {"user_id": "ana"}),
        ("session", {"session_id": "s"}),
        ("metadata", {"entries": [RARE_ENTRY]}),
        ("time", {"from": "2026-01-01T00:10:00Z", "to": "2026-01-01T00:40:00Z"}),
    ],
)
def test_a_narrowed_search_looks_up_the_chunks_of_what_is_left(
    app: Connection, filled: Filled, name: str, asked: dict[str, Any]
) -> None:
    lines = explained(app, filled.tenants["large"], name, asked)

    assert "Seq Scan" not in lines
    assert "Nested Loop" in lines
    assert "Hash" not in lines
    by_hash = "|chunks_p00_memory_id_idx" if filled.layout == "quantized" else ""
    assert re.search(rf"Index (Only )?Scan using ({filled.key}{by_hash})", lines), lines
    assert lines.count("memory_id = ") >= 2  # memories and chunks are looked up one by one


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
@pytest.mark.parametrize(("size", "most"), [("small", SMALL), ("medium", MEDIUM)])
def test_a_real_search_reads_no_row_of_another_tenant(
    app: Connection, filled: Filled, size: str, most: int, mode: str
) -> None:
    app.execute("SELECT set_config('plan_cache_mode', %s, true)", (mode,))
    for seed in range(8):  # often enough for a generic plan to be taken
        assert len(search(app, filled.tenants[size], seed)) == 10

    reads = read(app)
    tables = {
        name for name, (_, tuples) in reads.items() if tuples and not name.endswith(("_idx", "_pkey", "_key", "_graph"))
    }
    assert tables == set(), f"sequential scans: {tables}"
    assert "chunks_p00_hnsw_graph" not in reads
    # Each time all rows of the tenant, one to see which partition it is in, and the ten that were found. Where memories
    # that have expired are among the nearest, bits are read once more, and candidates are looked up.
    times = 1 if filled.layout == "hnsw" else 2
    assert reads[filled.key][1] <= 8 * times * (most + 1 + 10)
    assert all(tuples <= 8 * times * (most + 320) for _, tuples in reads.values()), reads


def test_an_exact_search_finds_exactly_the_nearest(app: Connection, filled: Filled) -> None:
    sizes = {"hnsw": ("small", "medium", "large"), "quantized": ("small",)}[filled.layout]
    for size in sizes:
        asked = {"agent_id": "agent-0"} if size == "large" else {}
        also = "m.purposes = '{}'" + (" AND m.agent_id = 'agent-0'" if asked else "")
        for seed in range(5):
            assert search(app, filled.tenants[size], seed, **asked) == filled.truth(filled.tenants[size], seed, also)


@pytest.mark.parametrize(
    ("asked", "also"),
    [
        ({}, "m.purposes = '{}'"),
        ({"agent_id": "agent-0"}, "m.purposes = '{}' AND m.agent_id = 'agent-0'"),
        ({"user_id": "bob"}, "m.purposes = '{}' AND m.user_id = 'bob'"),
        ({"namespace": "default"}, "m.purposes = '{}' AND m.namespace = 'default'"),
        ({"purpose": "support"}, "true"),
        ({"from": "2026-01-01T05:00:00Z", "to": "2026-01-02T06:00:00Z"}, _DURING),
        ({"entries": [COMMON_ENTRY]}, _TAGGED),
        ({"min_trust": "direct_user"}, "false"),
    ],
    ids=str,
)
def test_nearly_all_of_the_nearest_are_found_whatever_a_search_is_narrowed_by(
    app: Connection, filled: Filled, asked: dict[str, Any], also: str
) -> None:
    found = of = 0
    for size in ("medium", "large"):
        for seed in range(20):
            ids = search(app, filled.tenants[size], seed, **asked)
            truth = filled.truth(filled.tenants[size], seed, also)
            assert len(ids) == len(truth)
            found += len(set(ids) & set(truth))
            of += len(truth)

    assert found >= 0.99 * of


def test_where_the_graph_comes_to_its_end_the_exact_search_answers(app: Connection, filled: Filled) -> None:
    assert plan(app, filled.tenants["large"], {"namespace": "rare"}) in {"graph", "bits"}

    assert len(search(app, filled.tenants["large"], namespace="rare")) == LARGE // 900 + 1


def test_rows_that_nobody_vacuumed_hide_nothing(filled: Filled, app: Connection) -> None:
    app.execute("SELECT memory.enter_tenant(%s)", (filled.tenants["large"],))
    app.execute("DELETE FROM memory.memories WHERE agent_id = 'agent-1'")

    left = search(app, filled.tenants["large"])

    assert len(left) == 10
    assert left == filled.truth(filled.tenants["large"], also="m.purposes = '{}' AND m.agent_id = 'agent-0'")


def test_a_tenant_without_anything_finds_nothing_quickly(app: Connection) -> None:
    assert search(app, "a-fresh-tenant") == []
    assert all(tuples == 0 for name, (_, tuples) in read(app).items() if name.startswith("chunks"))
