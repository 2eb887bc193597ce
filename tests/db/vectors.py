"""Memories with vectors in bulk, for tests of how they are searched."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg

from agent_memory.adapters.sql_memory_draft import vector_text

NOW = "2026-11-20T09:30:00Z"
RARE_ENTRY = "00000000-0000-0000-0000-000000000001"
COMMON_ENTRY = str(UUID(int=100))
"""Every third memory has it."""
# As of a small model: as many numbers as it takes to tell vectors apart, and topics that they gather around.
_DIMENSIONS, _TOPICS = 192, 40
_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_MEMORIES = """
    INSERT INTO memory.memories (tenant_id, memory_id, agent_id, namespace, user_id, session_id, content, trust,
        purposes, occurred_at, created_at, updated_at, expires_at, chunk_count)
    VALUES (%(tenant)s, %(id)s, %(agent)s, %(namespace)s, %(user)s, %(session)s, %(content)s, 'inference', %(purposes)s,
        %(at)s, %(at)s, %(at)s, %(expires)s, 1)
"""
_CHUNKS = """
    INSERT INTO memory.chunks (tenant_id, model, agent_id, namespace_key, memory_id, ordinal, user_key, session_key,
        purpose_mask, occurred_at, starts_at, ends_at, dimensions, embedding)
    SELECT m.tenant_id, 'm', m.agent_id, memory.key_of(m.namespace), m.memory_id, 0, memory.key_of(m.user_id),
        memory.key_of(m.session_id), memory.purpose_mask(m.purposes), m.occurred_at, 0, 4, %(dimensions)s,
        CAST(%(vector)s AS public.halfvec)
    FROM memory.memories AS m
    WHERE m.tenant_id = %(tenant)s AND m.memory_id = %(id)s
"""
_ENTRIES = "INSERT INTO memory.metadata_entries (tenant_id, entry, memory_id) VALUES (%(tenant)s, %(entry)s, %(id)s)"


def vectors(count: int, seed: int) -> list[str]:
    """Vectors around topics that all seeds share, the same on every run."""
    topics = np.random.default_rng(1).standard_normal((_TOPICS, _DIMENSIONS))
    random = np.random.default_rng(seed)
    made = topics[random.integers(0, _TOPICS, count)] + 0.8 * random.standard_normal((count, _DIMENSIONS))
    return [vector_text(tuple(each)) for each in made / np.linalg.norm(made, axis=1, keepdims=True)]


def a_vector(seed: int = 7) -> str:
    """One that no memory has."""
    return vectors(1, 1000 + seed)[0]


def fill(superuser: psycopg.Connection[Any], tenant: str, rows: int) -> None:
    """Memories of two agents and two users, with a namespace, a session and a piece of metadata that are rare.

    Every second has a purpose, and every tenth has expired.
    """
    number = int.from_bytes(tenant.encode())
    made = [_row(tenant, number, n) | {"vector": vector} for n, vector in enumerate(vectors(rows, number), 1)]
    with superuser.cursor() as cursor:
        cursor.executemany(_MEMORIES, made)
        cursor.executemany(_CHUNKS, made)
        cursor.executemany(_ENTRIES, [row | {"entry": RARE_ENTRY} for row in made[2::100]])
        cursor.executemany(_ENTRIES, [row | {"entry": _entry(n % 3)} for n, row in enumerate(made)])


def _entry(number: int) -> UUID:
    return UUID(int=100 + number)


def _row(tenant: str, number: int, n: int) -> dict[str, Any]:
    at = _MADE + timedelta(minutes=n)
    return {
        "tenant": tenant,
        "id": UUID(int=(number % 2**64 << 64) + n),
        "agent": f"agent-{n % 2}",
        "namespace": "rare" if n % 900 == 1 else "default",
        "user": "ana" if n % 100 == 1 else "bob",
        "session": "s" if n % 100 == 2 else None,
        "content": f"text {n}",
        "purposes": ["support"] if n % 5 == 4 else [],
        "at": at,
        "expires": at if n % 10 == 7 else None,
        "dimensions": _DIMENSIONS,
    }
