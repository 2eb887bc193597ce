"""The archive as a table of DuckDB: the same columns and functions that Athena has, so that the same SQL runs on both.

`terraform/modules/archive-analytics` defines the table for Athena; a test holds the two together.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

_OBJECT = re.compile(r"([^/]+)/([^/]+)/(\d{4}-\d\d-\d\d)/[^/]+\.jsonl\.gz")


class Place(NamedTuple):
    """Where an object with episodes lies, as its key says it."""

    tenant: str
    agent: str
    day: str


def place_of(key: str) -> Place | None:
    """None for anything else in the bucket, such as a large value."""
    found = _OBJECT.fullmatch(key)
    return Place(*found.groups()) if found else None


_LONGEST_LINE = 64 * 1024 * 1024

# What can be any JSON is text there: a JSON string without its quotes, else the JSON as it was written.
_COLUMNS = {
    **dict.fromkeys(("id", "tenant_id", "agent_id", "session_id", "type", "timestamp", "created_at"), "VARCHAR"),
    **dict.fromkeys(("run_id", "expires_at", "user_id", "trust"), "VARCHAR"),
    "purposes": "VARCHAR[]",
    "source": "STRUCT(kind VARCHAR, id VARCHAR)",
    "body": "STRUCT(key VARCHAR, sha256 VARCHAR, bytes BIGINT, is_opaque BOOLEAN)",
    **dict.fromkeys(("metadata", "content"), "JSON"),
}

# Functions of Athena's that DuckDB calls otherwise.
_FUNCTIONS = """
CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ);
CREATE MACRO json_format(value) AS CAST(value AS VARCHAR);
CREATE MACRO json_extract_scalar(text, path) AS
    CASE WHEN TRY(json_type(text, path)) NOT IN ('ARRAY', 'NULL', 'OBJECT')
    THEN TRY(json_extract_string(text, path)) END;
CREATE MACRO array_join(list, between) AS array_to_string(list, between);
"""


def define_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Let SQL that was written for Athena find its functions."""
    connection.execute(_FUNCTIONS)


def load(connection: duckdb.DuckDBPyConnection, objects: Mapping[Path, Place]) -> None:
    """Make the table `episodes` of objects, by where each was copied to."""
    define_functions(connection)
    connection.execute("CREATE TABLE places (filename VARCHAR, tenant VARCHAR, agent VARCHAR, day VARCHAR)")
    rows = [(str(path), *place) for path, place in objects.items()]
    connection.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", rows)
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
    texts = ", ".join(f"{name} ->> '$' AS {name}" for name, kind in _COLUMNS.items() if kind == "JSON")
    connection.execute(
        f"CREATE TABLE episodes AS SELECT * EXCLUDE (filename) REPLACE ({texts})"  # noqa: S608 - all of it stands above
        " FROM read_json(?, format = 'newline_delimited', filename = true,"
        f" maximum_object_size = {_LONGEST_LINE}, columns = {{{columns}}}) JOIN places USING (filename)",
        [[path for path, *_ in rows]],
    )


def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, tenant: str, agent: str, days: tuple[str, str]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one of `sql/analytics`: names of columns, and rows."""
    done = connection.execute(sql, [tenant, agent, *days, *days])
    return [column[0] for column in done.description or ()], done.fetchall()
