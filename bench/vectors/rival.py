"""The usual layout: one table, one vector graph over all tenants, and statements that cannot use it.

Written anew from what is known of it: similarity is an expression that is sorted downwards and compared with a
threshold (0.1, its SDK's default), so every search and every look for duplicates reads all rows of its tenant; four and
five round trips. The role owns nothing here, so that row-level security holds, which it does not in the original.
"""

import itertools
import uuid
from collections.abc import Sequence

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agent_memory.domain.embedding import Vector
from bench.vectors import bulk
from bench.vectors.data import Dataset, tenant_name
from bench.vectors.layout import AGENT, content
from bench.vectors.server import log_in

TABLE = "public.semantic_memory"
_SCHEMA = """
    CREATE EXTENSION vector;
    CREATE ROLE rival_app;
    CREATE TABLE semantic_memory (
        id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id  text NOT NULL,
        agent_id   text NOT NULL,
        namespace  text NOT NULL DEFAULT 'default',
        content    text NOT NULL,
        embedding  vector(1024) NOT NULL,
        metadata   jsonb NOT NULL DEFAULT '{}',
        is_deleted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ON semantic_memory (tenant_id);
    CREATE INDEX ON semantic_memory (tenant_id, agent_id);
    CREATE INDEX ON semantic_memory USING gin (metadata);
    ALTER TABLE semantic_memory ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON semantic_memory USING (tenant_id = current_setting('app.tenant_id', true));
    GRANT SELECT, INSERT, UPDATE, DELETE ON semantic_memory TO rival_app;
"""
_GRAPH = "CREATE INDEX ON semantic_memory USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 200)"
_ENTER = "SELECT set_config('app.tenant_id', %s, false)"
_SEARCH = """
    SELECT id, agent_id, namespace, content, metadata, created_at,
        1 - (embedding <=> CAST(%(vector)s AS vector)) AS similarity
    FROM semantic_memory
    WHERE tenant_id = %(tenant)s AND NOT is_deleted AND 1 - (embedding <=> CAST(%(vector)s AS vector)) >= 0.1
    ORDER BY similarity DESC
    LIMIT 10
"""
_DUPLICATE = """
    SELECT id, 1 - (embedding <=> CAST(%(vector)s AS vector)) AS similarity
    FROM semantic_memory
    WHERE tenant_id = %(tenant)s AND agent_id = %(agent)s AND NOT is_deleted
        AND 1 - (embedding <=> CAST(%(vector)s AS vector)) > 0.95
    ORDER BY similarity DESC
    LIMIT 1
"""
_INSERT = sql.SQL("INSERT INTO semantic_memory (tenant_id, agent_id, content, embedding) VALUES {}")
_ONE = sql.SQL("(%s, %s, %s, CAST(%s AS vector))")
_COLUMNS = {"id": "uuid", "tenant_id": "text", "agent_id": "text", "content": "text", "embedding": "bytea"}


class Rival:
    """The layout in a database of its own."""

    def __init__(self, superuser_dsn: str) -> None:
        with psycopg.connect(superuser_dsn, autocommit=True) as superuser:
            superuser.execute("CREATE DATABASE rival")
        dsn = make_conninfo(superuser_dsn, dbname="rival")
        self.owner = psycopg.connect(dsn, autocommit=True)
        self.owner.execute(_SCHEMA)
        self.session = log_in(dsn, "rival_app")
        self._stored = itertools.count(1_000_000)

    def load(self, data: Dataset) -> None:
        """Put a data set into the table; the graph has to wait for `build_graph`."""
        vectors = zip(data.tenants.tolist(), bulk.wide_vectors(data.vectors), strict=True)
        rows = (
            (uuid.UUID(int=number), tenant_name(tenant), AGENT, content(number), vector)
            for number, (tenant, vector) in enumerate(vectors)
        )
        bulk.copy_rows(self.owner, TABLE, _COLUMNS, rows)
        self.owner.execute("VACUUM (ANALYZE) semantic_memory")

    def build_graph(self) -> float:
        """Build the vector index, which no search uses and every write pays for; the seconds that took."""
        return bulk.create_indexes(self.owner, [_GRAPH])

    def search(self, tenant: str, query: Vector) -> list[int]:
        """As `Layout.search`."""
        with self.session.transaction():
            self.session.execute(_ENTER, (tenant,))
            asked = {"tenant": tenant, "vector": _text(query)}
            return [row[0].int for row in self.session.execute(_SEARCH, asked).fetchall()]

    def store(self, tenant: str, vector: Vector) -> None:
        """As `Layout.store`."""
        with self.session.transaction():
            self.session.execute(_ENTER, (tenant,))
            asked = {"tenant": tenant, "agent": AGENT, "vector": _text(vector)}
            if self.session.execute(_DUPLICATE, asked).fetchone():
                raise RuntimeError("a vector of the bench has a near duplicate")
            self._insert(tenant, [vector])

    def store_many(self, tenant: str, vectors: Sequence[Vector]) -> None:
        """As `Layout.store_many`."""
        with self.session.transaction():
            self.session.execute(_ENTER, (tenant,))
            self._insert(tenant, vectors)

    def insert(self, tenant: str, vector: str) -> None:
        """Add a row; the vector as text."""
        statement = _INSERT.format(_ONE)
        self.owner.execute(statement, (tenant, AGENT, content(next(self._stored)), vector))

    def remove_some(self) -> None:
        """Delete a twentieth."""
        self.owner.execute("DELETE FROM semantic_memory WHERE hashtext(CAST(id AS text)) %% 20 = 0", ())

    def vacuum(self, _: None) -> None:
        """Clean up."""
        self.owner.execute("VACUUM (INDEX_CLEANUP ON) semantic_memory")

    def _insert(self, tenant: str, vectors: Sequence[Vector]) -> None:
        values = [value for vector in vectors for value in (tenant, AGENT, content(next(self._stored)), _text(vector))]
        self.session.execute(_INSERT.format(sql.SQL(", ").join([_ONE] * len(vectors))), values)


def _text(vector: Vector) -> str:
    return str(list(vector))
