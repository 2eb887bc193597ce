"""Our layout: the schema that the migrations make, filled in bulk by the superuser, asked as the functions ask it."""

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.chunking import Span
from agent_memory.domain.database import Call, Row, Scalar
from agent_memory.domain.embedding import Vector
from agent_memory.domain.merging import signature
from agent_memory.domain.semantic import NewMemory
from agent_memory.domain.semantic_store import Chunk, Draft, MemorySearch
from agent_memory.domain.usage import Tally
from bench.vectors import bulk
from bench.vectors.data import DIMENSIONS, Dataset, tenant_name
from bench.vectors.layout import AGENT, content
from bench.vectors.server import log_in
from bench.vectors.truth import TOP

TABLE = "memory.chunks"
_MODEL = "bench"
_MEMORIES = {
    "tenant_id": "text",
    "memory_id": "uuid",
    "agent_id": "text",
    "content": "text",
    "occurred_at": "timestamptz",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "chunk_count": "int4",
    "model": "text",
}
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
        """As `Layout.load`."""
        found = self.owner.execute(
            "SELECT memory.key_of('default'), memory.key_of(NULL), memory.key_of(NULL)"
        ).fetchone()
        self.owner.execute("TRUNCATE memory.memories CASCADE")
        indexes = bulk.drop_indexes(self.owner, TABLE)
        self.owner.execute("SET session_replication_role = replica")  # no chunk looks its memory up
        bulk.copy_rows(self.owner, "memory.memories", _MEMORIES, _memories(data))
        bulk.copy_rows(self.owner, TABLE, _CHUNKS, _chunks(data, *(found or ())))
        self.owner.execute("RESET session_replication_role")
        bulk.create_indexes(self.owner, indexes)
        self.owner.execute("VACUUM (ANALYZE) memory.memories, memory.chunks")

    def search(self, tenant: str, query: Vector) -> list[int]:
        """As `Layout.search`."""
        asked = MemorySearch(query, _MODEL, TOP, datetime.now(UTC), mode="vector")
        return [uuid.UUID(hit.memory.id).int for hit in self._store.search(tenant, asked)]

    def store(self, tenant: str, vector: Vector) -> None:
        """As `Layout.store`."""
        self._keep(tenant, [vector], dedupe=True)

    def store_many(self, tenant: str, vectors: Sequence[Vector]) -> None:
        """As `Layout.store_many`."""
        self._keep(tenant, vectors, dedupe=False)

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
    return Draft(str(uuid.uuid4()), new, None, (Chunk(Span(0, len(text)), vector),), signature(text), ())


def _memories(data: Dataset) -> Iterator[tuple[object, ...]]:
    made = datetime.now(UTC)
    for number, tenant in enumerate(data.tenants.tolist()):
        yield tenant_name(tenant), uuid.UUID(int=number), AGENT, content(number), made, made, made, 1, _MODEL


def _chunks(data: Dataset, *keys: int) -> Iterator[tuple[object, ...]]:
    made = datetime.now(UTC)
    vectors = zip(data.tenants.tolist(), bulk.halfvecs(data.vectors), strict=True)
    for number, (tenant, vector) in enumerate(vectors):
        yield tenant_name(tenant), uuid.UUID(int=number), AGENT, vector, *keys, 0, made, 0, 0, 1, _MODEL, DIMENSIONS
