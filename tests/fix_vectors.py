"""Tenants of three sizes in one partition, in both layouts of the vectors, before and after statistics and vacuum."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from agent_memory.adapters.schema_vector_indexes import DataApiVectorIndexes
from agent_memory.domain.vector_layout import Layout
from agent_memory.service.switch_layout import SwitchLayout
from tests.db.vectors import NOW, a_vector, fill
from tests.fix_postgres import Aurora, patience

Connection = psycopg.Connection[Any]

SMALL, MEDIUM, LARGE = 30, 800, 2600  # the last is over the bound up to which a search is exact beside a graph
_STATES = ("never analysed", "half analysed", "analysed and vacuumed")
_TABLES = "memory.memories, memory.chunks, memory.metadata_entries"


@dataclass
class Filled:
    """A database with vectors, the layout of which is known."""

    aurora: Aurora
    layout: Layout
    tenants: dict[str, str]

    @property
    def key(self) -> str:
        """The index that a search of one tenant reads."""
        return f"chunks_p00_{self.layout}_key"

    def truth(self, tenant: str, seed: int = 7, also: str = "m.purposes = '{}'") -> list[str]:
        """The nearest ten, by a superuser's scan; `also` is a condition on memories."""
        with self.aurora.superuser() as superuser:
            rows = superuser.execute(
                "SELECT CAST(c.memory_id AS text) FROM memory.chunks AS c JOIN memory.memories AS m"  # noqa: S608
                " USING (tenant_id, memory_id)"
                f" WHERE c.tenant_id = %(t)s AND (m.expires_at IS NULL OR m.expires_at > %(n)s) AND {also}"
                " ORDER BY c.embedding <=> CAST(%(q)s AS halfvec), c.memory_id LIMIT 10",
                {"t": tenant, "q": a_vector(seed), "n": NOW},
            )
            return [memory_id for (memory_id,) in rows]


@pytest.fixture(
    scope="module",
    params=[(layout, state) for layout in ("hnsw", "quantized") for state in _STATES],
    ids=", ".join,
)
def filled(request: pytest.FixtureRequest, migrated: Aurora) -> Iterator[Filled]:
    """Three tenants in one partition, so that the small ones share it with a large one."""
    layout, state = request.param
    SwitchLayout(DataApiVectorIndexes(migrated.as_master()), patience(600)).run(layout)
    with migrated.superuser() as superuser:
        superuser.execute("TRUNCATE memory.memories CASCADE")
        superuser.execute("ALTER TABLE memory.chunks_p00 SET (autovacuum_enabled = off)")
        tenants = dict(zip(("small", "medium", "large"), _neighbours(superuser), strict=True))
        for size, rows in {"small": SMALL, "medium": MEDIUM, "large": LARGE}.items():
            fill(superuser, tenants[size], rows)
        if state == "half analysed":  # as autovacuum leaves it, which takes one table after the other
            superuser.execute("ANALYZE memory.memories")
        if state == "analysed and vacuumed":
            superuser.execute(f"VACUUM (ANALYZE) {_TABLES}")
    yield Filled(migrated, layout, tenants)
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
def app(filled: Filled) -> Iterator[Connection]:
    """The application's role, in a transaction that is rolled back."""
    with psycopg.connect(filled.aurora.app_dsn(), row_factory=dict_row, prepare_threshold=None) as connection:
        yield connection
        connection.rollback()


def search(app: Connection, tenant: str, seed: int = 7, **asked: Any) -> list[str]:
    """Ids of what a search by vector alone finds."""
    request = {"now": NOW, "mode": "vector", "model": "m", "top_k": 10, "reach": 2.0} | asked
    rows = app.execute(
        "SELECT * FROM memory.search(tenant => %s, request => %s, query => %s, budget => 1000000)",
        (tenant, json.dumps(request), a_vector(seed)),
    ).fetchall()
    return [row["id"] for row in rows]
