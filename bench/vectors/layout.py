"""What both layouts are asked to do, and how a session of theirs is observed."""

from collections.abc import Callable, Sequence
from tempfile import TemporaryFile
from typing import Protocol

import psycopg

from agent_memory.domain.embedding import Vector
from bench.vectors.data import Dataset

AGENT = "agent"
"""Whose memories are stored; searches are of the whole tenant, which is the worst case, unless a filter is measured."""

_PAGES = """
    SELECT sum(coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)
        + coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0))
    FROM pg_statio_user_tables
"""


class Layout(Protocol):
    """Tables of memories, an application's session on them, and what it sends."""

    session: psycopg.Connection

    def load(self, data: Dataset) -> None:
        """Replace what is there by a data set, ready to be searched."""

    def search(self, tenant: str, query: Vector) -> list[int]:
        """The nearest rows, nearest first."""

    def store(self, tenant: str, vector: Vector) -> None:
        """Store one memory as a request does, near duplicates looked for."""

    def store_many(self, tenant: str, vectors: Sequence[Vector]) -> None:
        """Store memories in one statement, near duplicates not looked for."""


def content(number: int) -> str:
    """What a memory says; no two say the same."""
    return f"Memory {number}, in as many words as people need to say what they like, where they live and whom they met."


def pages(session: psycopg.Connection) -> int:
    """How many 8 kB pages of tables and indexes the database has looked at so far, from its cache or not."""
    session.execute("SELECT pg_stat_force_next_flush()")
    row = session.execute(_PAGES).fetchone()
    return int(row[0]) if row else 0


def round_trips(session: psycopg.Connection, operation: Callable[..., object], *arguments: object) -> int:
    """How often an operation waits for the server, counted on the wire."""
    with TemporaryFile("w+") as trace:
        session.pgconn.trace(trace.fileno())
        operation(*arguments)
        session.pgconn.untrace()
        trace.seek(0)
        return trace.read().count("ReadyForQuery")
