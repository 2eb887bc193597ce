"""Our layout: the schema that the migrations make, filled in bulk by the superuser, asked as the functions ask it."""

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.adapters.sql_memory_draft import vector_text
from agent_memory.domain.chunking import Span
from agent_memory.domain.database import Call, Row, Scalar
from agent_memory.domain.embedding import Vector
from agent_memory.domain.json_document import dumps
from agent_memory.domain.merging import signature
from agent_memory.domain.semantic import NewMemory
from agent_memory.domain.semantic_store import Draft, MemorySearch
from agent_memory.domain.usage import Tally
from agent_memory.domain.vector_layout import Layout as VectorLayout
from bench.vectors import bulk, kinds
from bench.vectors.data import DIMENSIONS, Dataset, tenant_name
from bench.vectors.kinds import ENTRY
from bench.vectors.layout import AGENT, content
from bench.vectors.server import log_in
from bench.vectors.truth import TOP

TABLE = "memory.chunks"
_MODEL = "b/1024"
_MEMORIES = {
    "tenant_id": "text",
    "memory_id": "uuid",
    "agent_id": "text",
    "content": "text",
    "occurred_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "chunk_count": "int4",
    "user_id": "text",
    "namespace": "text",
    "purposes": "text[]",
}
_ENTRIES = {"tenant_id": "text", "entry": "uuid", "memory_id": "uuid"}
_CHUNKS = {
    "tenant_id": "text",
    "memory_id": "uuid",
    "agent_id": "text",
    "embedding": "bytea",
    "namespace_key": "int8",
    "user_key": "int8",
    "session_key": "int8",
    "purpose_mask": "int4",
    "occurred_at": "timestamptz",
    "ordinal": "int4",
    "starts_at": "int4",
    "ends_at": "int4",
    "model": "text",
    "dimensions": "int4",
}


class Ours:
    """The layout in the database that was migrated."""

    def __init__(self, superuser_dsn: str) -> None:
        self.owner = psycopg.connect(superuser_dsn, autocommit=True)
        self.session = log_in(superuser_dsn, "memory_app")
        self._store = SqlMemoryStore(_Direct(self.session), Tally())
        self._stored = itertools.count(1_000_000)

    def load(self, data: Dataset) -> None:
        """As `Layout.load`, but for the indexes of a layout."""
        self.owner.execute("TRUNCATE memory.memories CASCADE")
        others = [made for made in bulk.drop_indexes(self.owner, TABLE) if "chunks_memory_idx" in made]
        self.owner.execute("SET session_replication_role = replica")  # no chunk looks its memory up
        bulk.copy_rows(self.owner, "memory.memories", _MEMORIES, _memories(data))
        bulk.copy_rows(self.owner, TABLE, _CHUNKS, _chunks(data, self._keys()))
        tagged = ((tenant_name(data.tenants[row]), uuid.UUID(ENTRY), uuid.UUID(int=row)) for row in kinds.tagged(data))
        bulk.copy_rows(self.owner, "memory.metadata_entries", _ENTRIES, tagged)
        self.owner.execute("RESET session_replication_role")
        self.owner.execute("ANALYZE memory.chunks")  # a hash index is as large as its table seems to be
        bulk.create_indexes(self.owner, others)
        self.owner.execute(
            "CREATE OR REPLACE FUNCTION memory.vector_layout() RETURNS text LANGUAGE plpgsql STABLE"
            " SET search_path = pg_catalog AS $$ BEGIN RETURN ''; END $$"
        )

    def build(self, layout: VectorLayout) -> float:
        """Bring a layout into force, by the statements of the switch; the seconds that its indexes took."""
        if self.owner.execute("SELECT memory.vector_layout()").fetchone() == (layout,):
            return 0.0
        steps = self.owner.execute("SELECT statement FROM memory_admin.vector_steps(%s)", (layout,)).fetchall()
        spent = bulk.create_indexes(self.owner, [statement for (statement,) in steps])
        self.owner.execute("SELECT memory_admin.switch_layout(%s)", (layout,))
        self.owner.execute("VACUUM (ANALYZE) memory.memories, memory.chunks, memory.metadata_entries")
        return spent

    def search(self, tenant: str, query: Vector, **narrowed: Any) -> list[int]:
        """As `Layout.search`. What has a purpose is shown for it, so nothing is left out that the rival finds."""
        asked = {"purpose": kinds.PURPOSE, **narrowed}
        search = MemorySearch(query, _MODEL, TOP, datetime.now(UTC), mode="vector", **asked)
        return [uuid.UUID(hit.memory.id).int for hit in self._store.search(tenant, search)]

    def nearest(self, tenant: str, query: Vector) -> list[int]:
        """The nearest rows alone, without what a request is told of them."""
        asked = dumps({"now": datetime.now(UTC), "shown_for": kinds.PURPOSE, "purpose_mask": -1})
        with self.session.transaction():
            self.session.execute("SELECT memory.enter_tenant(%s)", (tenant,))
            rows = self.session.execute(
                "SELECT memory_id FROM memory.nearest(%s, %s, CAST(%s AS public.halfvec), %s, %s, 2.0)",
                (tenant, asked, vector_text(query), _MODEL, TOP),
            )
            return [memory_id.int for (memory_id,) in rows.fetchall()]

    def store(self, tenant: str, vector: Vector) -> None:
        """As `Layout.store`."""
        self._keep(tenant, [vector], dedupe=True)

    def store_many(self, tenant: str, vectors: Sequence[Vector]) -> None:
        """As `Layout.store_many`."""
        self._keep(tenant, vectors, dedupe=False)

    def insert(self, tenant: str, vector: str) -> None:
        """Add a row to the table of vectors, that of a memory which is there; the vector as text."""
        self.owner.execute(
            "INSERT INTO memory.chunks (tenant_id, model, agent_id, namespace_key, memory_id, ordinal, user_key,"
            " session_key, purpose_mask, occurred_at, starts_at, ends_at, dimensions, embedding)"
            " SELECT m.tenant_id, %s, m.agent_id, 1, m.memory_id, %s, 0, 0, 0, m.occurred_at, 0, 1, 1024,"
            " CAST(%s AS halfvec) FROM memory.memories AS m WHERE m.tenant_id = %s LIMIT 1",
            (_MODEL, next(self._stored), vector, tenant),
        )

    def remove_some(self) -> None:
        """Delete a twentieth, as a deletion of memories does."""
        self.owner.execute("DELETE FROM memory.memories WHERE hashtext(CAST(memory_id AS text)) %% 20 = 0", ())

    def vacuum(self, _: None) -> None:
        """Clean up, as the daily maintenance does."""
        self.owner.execute("VACUUM (INDEX_CLEANUP ON) memory.chunks")

    def _keys(self) -> Mapping[str, int]:
        names = [kinds.of(number) for number in range(kinds.ALL)]
        asked = "SELECT memory.key_of(%s), memory.purpose_mask(%s)"
        found = {}
        for name in {name for kind in names for name in (kind.user, kind.namespace)}:
            found[name], found["purpose"] = self.owner.execute(asked, (name, [kinds.PURPOSE])).fetchone() or (0, 0)
        return found

    def _keep(self, tenant: str, vectors: Sequence[Vector], *, dedupe: bool) -> None:
        texts = [content(next(self._stored)) for _ in vectors]
        drafts = [_draft(text, vector, dedupe=dedupe) for text, vector in zip(texts, vectors, strict=True)]
        self._store.store(tenant, drafts, _MODEL, datetime.now(UTC), None)


class _Direct:
    """The port of the functions over the bench's own session, so that both layouts have the same client."""

    max_request_bytes = max_answer_bytes = 100_000_000

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 0.0) -> list[Row]:  # noqa: ARG002
        named = (sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments)
        query = sql.SQL("SELECT * FROM {}({})").format(sql.Identifier("memory", function), sql.SQL(", ").join(named))
        return list(self._session.cursor(row_factory=dict_row).execute(query, arguments).fetchall())

    def call_all(self, calls: Sequence[Call], timeout_s: float = 0.0) -> list[list[Row]]:
        (only,) = calls
        return [self.call(only.function, only.arguments, timeout_s)]


def _draft(text: str, vector: Vector, *, dedupe: bool) -> Draft:
    new = NewMemory(agent_id=AGENT, content=text, dedupe=dedupe)
    spans, vectors = (Span(0, len(text)),), {_MODEL: (vector,)}
    return Draft(str(uuid.uuid4()), new, None, spans, vectors, (), signature(text), ())


def _memories(data: Dataset) -> Iterator[tuple[object, ...]]:
    for number, tenant in enumerate(data.tenants.tolist()):
        kind = kinds.of(number)
        yield (
            tenant_name(tenant), uuid.UUID(int=number), kind.agent, content(number), kind.at, kind.at, kind.at, 1,
            kind.user, kind.namespace, kind.purposes,
        )  # fmt: skip


def _chunks(data: Dataset, keys: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    vectors = zip(data.tenants.tolist(), bulk.halfvecs(data.vectors), strict=True)
    for number, (tenant, vector) in enumerate(vectors):
        kind = kinds.of(number)
        yield (
            tenant_name(tenant), uuid.UUID(int=number), kind.agent, vector, keys[kind.namespace], keys[kind.user], 0,
            keys["purpose"] if kind.purposes else 0, kind.at, 0, 0, 1, _MODEL, DIMENSIONS,
        )  # fmt: skip
