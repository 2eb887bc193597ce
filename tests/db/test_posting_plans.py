"""What a search by words reads: postings of its tenant and of its lexemes, and never more than so many."""

import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fix_postgres import Aurora

Connection = psycopg.Connection[Any]

LARGE, SMALL = 30_000, 300
NOW = "2026-12-01T00:00:00Z"
EVERYWHERE, OFTEN, RARE = 1, 2, 1_000_003  # lexemes: of every piece, of every tenth, of three
# Each piece holds one lexeme that all have, one that every tenth has, and one of three pieces of its own.
_FILL = """
WITH made AS MATERIALIZED (
    SELECT CAST(md5(%(tenant)s || n) AS uuid) AS id, n FROM generate_series(0, %(pieces)s - 1) AS n
), kept AS (
    INSERT INTO memory.memories (tenant_id, memory_id, agent_id, namespace, user_id, session_id, content, trust,
        occurred_at, created_at, updated_at, chunk_count)
    SELECT %(tenant)s, id, 'a', 'default', CASE WHEN n %% 1000 = 1 THEN 'ana' ELSE 'bob' END, 's' || n / 20, 'text',
        'inference', CAST('2026-01-01' AS timestamptz) + n * interval '1 minute', now(), now(), 1
    FROM made
)
INSERT INTO memory.postings (tenant_id, lexeme, agent_key, namespace_key, memory_id, ordinal, tf, length)
SELECT %(tenant)s, held.lexeme, memory.key_of('a'), memory.key_of('default'), id, 0, 1, 20
FROM made
CROSS JOIN LATERAL (
    VALUES (CAST(1 AS bigint)), (CASE WHEN n %% 10 = 0 THEN 2 END), (1000000 + n / 3)
) AS held (lexeme)
WHERE held.lexeme IS NOT NULL
"""


@pytest.fixture(scope="module")
def tenants(migrated: Aurora) -> Iterator[dict[str, str]]:
    """A large tenant and a small one in one partition, with the same words; nobody has analysed anything."""
    with migrated.superuser() as superuser:
        superuser.execute("SET session_replication_role = replica")  # no posting looks its memory up
        names = superuser.execute("""
            SELECT name FROM (SELECT 'tenant-' || n AS name, n FROM generate_series(1, 500) AS n) AS named
            WHERE satisfies_hash_partition(CAST('memory.postings' AS regclass), 16, 0, name COLLATE "C")
            ORDER BY n LIMIT 2
        """).fetchall()
        named = dict(zip(("large", "small"), [name for (name,) in names], strict=True))
        for size, pieces in (("large", LARGE), ("small", SMALL)):
            superuser.execute(_FILL, {"tenant": named[size], "pieces": pieces})
    yield named
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.memories CASCADE")


@pytest.fixture
def app(migrated: Aurora) -> Iterator[Connection]:
    with psycopg.connect(migrated.app_dsn(), row_factory=dict_row, prepare_threshold=None) as connection:
        yield connection
        connection.rollback()


def search(app: Connection, tenant: str, lexemes: list[int], **asked: Any) -> list[str]:
    request = {"now": NOW, "mode": "lexical", "model": "m", "top_k": 10, "reach": 2.0, "lexemes": lexemes} | asked
    rows = app.execute(
        "SELECT * FROM memory.search(tenant => %s, request => %s, query => '', budget => 1000000)",
        (tenant, json.dumps(request)),
    ).fetchall()
    return [row["id"] for row in rows]


def read(app: Connection) -> dict[str, tuple[int, int, int]]:
    """Scans, rows and pages of each index and table of the schema in this transaction, those that were read."""
    rows = app.execute("""
        SELECT relname, pg_stat_get_xact_numscans(oid) AS scans, pg_stat_get_xact_tuples_returned(oid) AS tuples,
            pg_stat_get_xact_blocks_fetched(oid) AS pages
        FROM pg_class WHERE relnamespace = CAST('memory' AS regnamespace) AND relkind IN ('i', 'r')
          AND pg_stat_get_xact_numscans(oid) > 0
    """).fetchall()
    return {row["relname"]: (row["scans"], row["tuples"], row["pages"]) for row in rows}


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan"])
@pytest.mark.parametrize("size", ["large", "small"])
def test_a_posting_lookup_reads_no_other_tenant_and_few_pages(
    app: Connection, tenants: dict[str, str], size: str, mode: str
) -> None:
    app.execute("SELECT set_config('plan_cache_mode', %s, true)", (mode,))

    assert len(search(app, tenants[size], [RARE], agent_id="a")) == 3

    reads = read(app)
    postings = {name: each for name, each in reads.items() if name.startswith("postings")}
    assert set(postings) == {"postings_p00_pkey"}, "no table is scanned, and no other partition opened"
    _, tuples, pages = postings["postings_p00_pkey"]
    assert tuples <= 3 * 3, "counted, read, and looked up once more"
    assert pages <= 60
    scanned = {name for name, (_, rows, _) in reads.items() if rows and not name.endswith(("_idx", "_pkey", "_key"))}
    assert scanned == set()


def test_a_common_lexeme_only_scores_what_a_rarer_one_finds(app: Connection, tenants: dict[str, str]) -> None:
    found = search(app, tenants["large"], [EVERYWHERE, RARE], agent_id="a")

    assert len(found) == 3
    reads = read(app)["postings_p00_pkey"][1]
    assert reads <= 10_001 + 3 + 3 * 2 + 10, "counted as far as it may be, then looked up in three memories"


@pytest.mark.parametrize(
    ("lexemes", "asked"),
    [
        ([EVERYWHERE], {}),
        ([EVERYWHERE, OFTEN], {}),
        ([*range(1_000_000, 1_000_062), EVERYWHERE, OFTEN], {}),
        ([EVERYWHERE], {"user_id": "nobody"}),
        ([EVERYWHERE], {"min_trust": "direct_user"}),
        ([EVERYWHERE], {"as_of": "2026-01-01T00:05:00Z"}),
    ],
    ids=["one common word", "two", "as many words as count", "nobody's", "nothing passes", "long ago"],
)
def test_what_a_search_costs_is_bounded_whatever_is_asked(
    app: Connection, tenants: dict[str, str], lexemes: list[int], asked: dict[str, Any]
) -> None:
    started = time.process_time()
    found = search(app, tenants["large"], lexemes, **asked)

    assert time.process_time() - started < 1
    reads = read(app)
    assert reads["postings_p00_pkey"][1] <= 40_000 + 10_000 + 64 + 32 * 20 * 2
    assert reads.get("memories_pkey", (0, 0, 0))[1] <= 2_000 + 200
    assert len(found) == (0 if asked.get("user_id") or asked.get("min_trust") else 6 if asked else 10)


def test_filters_hold_before_the_shortlist(app: Connection, tenants: dict[str, str]) -> None:
    """Of 30,000 that hold the word thirty are ana's, and none of them is among the first."""
    found = search(app, tenants["large"], [EVERYWHERE], user_id="ana", top_k=50)

    assert len(found) == 30


def test_a_tenant_without_anything_finds_nothing_quickly(app: Connection, tenants: dict[str, str]) -> None:
    assert tenants
    assert search(app, "a-fresh-tenant", [EVERYWHERE, OFTEN, RARE]) == []
    assert all(rows == 0 for name, (_, rows, _) in read(app).items() if name.startswith("postings"))
