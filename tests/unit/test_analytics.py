"""The queries of sql/analytics, asked of an archive that is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local import archive_table
from local.analyze import EVER, QUERIES
from local.archive_table import place_of
from tests import analyzed

Rows = list[tuple[Any, ...]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The archive as `make analyze` reads it."""
    copied = {}
    for number, (key, content) in enumerate(analyzed.objects().items()):
        if place := place_of(key):
            copied[tmp_path / f"{number}.jsonl.gz"] = place
            (tmp_path / f"{number}.jsonl.gz").write_bytes(content)
    with duckdb.connect() as connection:
        archive_table.load(connection, copied)
        yield connection


def _ask(archive: duckdb.DuckDBPyConnection, query: str, days: tuple[str, str] = EVER) -> Rows:
    (sql,) = [path.read_text() for path in QUERIES if path.stem == query]
    return archive_table.ask(archive, sql, "acme", "assistant", days)[1]


def test_episodes_are_counted_once_each_and_not_after_they_expired(archive: duckdb.DuckDBPyConnection) -> None:
    assert _ask(archive, "episodes_per_type_and_day") == [
        ("2025-09-25", "conversation", 3, 1),
        ("2025-09-25", "tool_call", 1, 1),
        ("2025-09-27", "conversation", 1, 1),
        ("2025-09-27", "tool_call", 3, 1),
        ("2025-10-15", "action", 2, 1),
        ("2025-10-15", "conversation", 1, 1),
        ("2025-10-15", "observation", 2, 2),
    ]


def test_an_object_that_began_weeks_before_the_days_asked_for_is_looked_into(
    archive: duckdb.DuckDBPyConnection,
) -> None:
    found = _ask(archive, "episodes_per_type_and_day", ("2025-10-14", "2025-10-15"))

    assert sum(count for _, _, count, _ in found) == 5


def test_a_tool_fails_by_its_error_or_its_status(archive: duckdb.DuckDBPyConnection) -> None:
    assert _ask(archive, "failing_tools") == [
        ("crane", 1, 1, 100, "2025-09-27T06:00:00.000000Z"),
        ("search", 2, 1, 50, "2025-09-25T15:00:00.000000Z"),
    ]


def test_a_session_ends_in_an_error_when_its_last_episode_is_one(archive: duckdb.DuckDBPyConnection) -> None:
    found = _ask(archive, "sessions_ended_in_errors")

    assert [(session, episodes, kind) for session, _, episodes, kind, _ in found] == [("s1", 4, "tool_call")]


def test_a_question_is_the_same_in_other_case_and_punctuation(archive: duckdb.DuckDBPyConnection) -> None:
    assert _ask(archive, "repeated_questions") == [("where is the piano", 2, 2, "2025-09-27T04:00:00.000000Z")]


def test_every_query_reads_the_archive_in_the_same_way() -> None:
    begin = "WITH kept AS ("
    read = {text.partition(begin)[2].partition("\n)")[0] for text in (path.read_text() for path in QUERIES)}

    assert len(QUERIES) == 4
    assert len(read) == 1
    assert "SELECT DISTINCT" in read.pop()
