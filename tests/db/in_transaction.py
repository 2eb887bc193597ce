"""The database as a function sees it in the middle of its work: calls on an open transaction, which a test ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from agent_memory.domain.database import Call, Row, Scalar


class InTransaction:
    """`Database` on a connection of psycopg that is not in autocommit."""

    max_request_bytes = 1_000_000
    max_answer_bytes = 1_000_000

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 2.0) -> list[Row]:
        return self.call_all([Call(function, arguments)], timeout_s)[0]

    def call_all(self, calls: Sequence[Call], timeout_s: float = 2.0) -> list[list[Row]]:  # noqa: ARG002
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return [list(cursor.execute(_statement(each), dict(each.arguments))) for each in calls]


def _statement(call: Call) -> sql.Composed:
    named = [sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in call.arguments]
    return sql.SQL("SELECT * FROM {}({})").format(sql.Identifier("memory", call.function), sql.SQL(", ").join(named))
