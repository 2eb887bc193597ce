"""Rows in bulk: pgvector's binary formats, and indexes that are built when the rows are there."""

from collections.abc import Iterable, Sequence
from time import monotonic

import numpy as np
import psycopg
from psycopg import sql

from bench.vectors.data import Halves

_INDEX_BYTES = """
    SELECT coalesce(sum(pg_relation_size(i.indexrelid)), 0)
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
    WHERE (i.indrelid = CAST(%(table)s AS regclass) OR i.indrelid IN (SELECT relid FROM pg_partition_tree(%(table)s)))
        AND a.amname LIKE %(method)s AND c.relname LIKE %(named)s
"""
_OWN_INDEXES = """
    SELECT CAST(i.indexrelid AS regclass), pg_get_indexdef(i.indexrelid) FROM pg_index AS i
    WHERE i.indrelid = CAST(%s AS regclass) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""


def halfvecs(vectors: Halves) -> Iterable[bytes]:
    """Each vector as pgvector sends a halfvec."""
    return _binary(vectors, ">f2")


def wide_vectors(vectors: Halves) -> Iterable[bytes]:
    """Each vector as pgvector sends a vector."""
    return _binary(vectors, ">f4")


def copy_rows(
    connection: psycopg.Connection, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """COPY rows into columns, each given with its type; a vector's is bytea, for its bytes are made already."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(*table.split(".")), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


def drop_indexes(connection: psycopg.Connection, table: str) -> list[str]:
    """Drop a table's indexes but those of its constraints; the statements that make them again."""
    found = connection.execute(_OWN_INDEXES, (table,)).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
    # Of a partitioned table the definition says ONLY, which would leave the partitions without.
    return [definition.replace(" ON ONLY ", " ON ") for _, definition in found]


def create_indexes(connection: psycopg.Connection, statements: Iterable[str]) -> float:
    """Build indexes; the seconds that took."""
    started = monotonic()
    # Vectors lie beside their table, which therefore looks too small for parallel work.
    connection.execute("SET min_parallel_table_scan_size = 0")
    for statement in statements:
        connection.execute(statement)
    connection.execute("RESET min_parallel_table_scan_size")
    return monotonic() - started


def index_bytes(connection: psycopg.Connection, table: str, method: str = "%", named: str = "%") -> int:
    """Size of a table's indexes, partitions included, of all access methods and names or of some."""
    row = connection.execute(_INDEX_BYTES, {"table": table, "method": method, "named": named}).fetchone()
    return int(row[0]) if row else 0


def _binary(vectors: Halves, number: str) -> Iterable[bytes]:
    # The number of dimensions, and two bytes that pgvector keeps for later.
    head = np.array([vectors.shape[1], 0], ">i2").tobytes()
    return (head + vector.astype(number).tobytes() for vector in vectors)
