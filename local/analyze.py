"""`python -m local.analyze`: what the archive of the running stack says, by the queries of `sql/analytics`.

TENANT and AGENT, when set, name the one tenant or agent to look at.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from local import archive_table, ministack, stack
from local.archive_table import Place, place_of
from local.console import INTERRUPTED, exit_after, harmless, heading, say
from local.stack import Stack
from local.state import ROOT, StackError, chosen

QUERIES = sorted((ROOT / "sql" / "analytics").glob("*.sql"))
EVER = ("1900-01-01", "9999-12-31")
_WIDEST = 60


def analyze(running: Stack, tenant: str | None, agent: str | None) -> None:
    """Ask every query about each agent, or about those that are named, and print what it answers."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        objects = _copy(running, Path(folder), tenant, agent)
        if not objects:
            raise StackError("the archive holds none of that: an episode gets there with many others, or after days")
        archive_table.load(connection, objects)
        for tenant_id, agent_id in sorted({(place.tenant, place.agent) for place in objects.values()}):
            _tell(connection, tenant_id, agent_id)


def _copy(running: Stack, folder: Path, tenant: str | None, agent: str | None) -> Mapping[Path, Place]:
    """Copy objects under names of our own: a key may be longer than the name of a file."""
    s3 = ministack.client("s3", running.aws_endpoint_url)
    copied: dict[Path, Place] = {}
    for key, place in _objects(s3, running.bucket):
        if tenant in {None, place.tenant} and agent in {None, place.agent}:
            path = folder / f"{len(copied)}.jsonl.gz"
            path.write_bytes(s3.get_object(Bucket=running.bucket, Key=key)["Body"].read())
            copied[path] = place
    return copied


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, Place]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for listed in page.get("Contents", ()):
            if place := place_of(listed["Key"]):
                yield listed["Key"], place


def _tell(connection: duckdb.DuckDBPyConnection, tenant: str, agent: str) -> None:
    heading(f"{tenant} / {agent}")
    for query in QUERIES:
        names, rows = archive_table.ask(connection, query.read_text(), tenant, agent, EVER)
        say(f"\n  {query.stem.replace('_', ' ')}{'' if rows else ': none'}")
        for line in _table([names, *rows]) if rows else ():
            say(f"    {line}")


def _table(rows: Sequence[Sequence[object]]) -> Iterator[str]:
    cells = [["" if value is None else harmless(str(value))[:_WIDEST] for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def main() -> int:
    """Analyse the running stack's archive; say in a line why not."""
    try:
        analyze(stack.read(chosen()), os.environ.get("TENANT") or None, os.environ.get("AGENT") or None)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    exit_after(main)
