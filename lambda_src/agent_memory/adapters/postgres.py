"""The database over PostgreSQL's own protocol: straight to the cluster, or through RDS Proxy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from agent_memory.domain.database import Row, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable

Connect = Callable[[], psycopg.Connection[Any]]


@dataclass(frozen=True)
class TokenLogin:
    """Opens connections with an IAM token for a password, over TLS that proves who the server is and nothing less."""

    token: Callable[[], str]  # a new one each time: it opens connections for 15 minutes
    host: str
    port: int
    user: str
    database: str
    ca_path: str

    def __call__(self) -> psycopg.Connection[Any]:
        """A new connection. Nothing is prepared on it: a proxy would pin the session."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            dbname=self.database,
            password=self.token(),
            sslmode="verify-full",
            sslrootcert=self.ca_path,
            connect_timeout=2,
            autocommit=True,
            prepare_threshold=None,
        )


class Postgres:
    """Calls of SQL functions, each on a connection of its own."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def call(self, function: str, arguments: Mapping[str, Scalar]) -> list[Row]:
        """Rows of `memory.<function>`, called with named arguments."""
        named = (sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments)
        query = sql.SQL("SELECT * FROM {}({})").format(sql.Identifier("memory", function), sql.SQL(", ").join(named))
        try:
            with self._connect() as connection:
                return list(connection.cursor(row_factory=dict_row).execute(query, arguments).fetchall())
        except psycopg.OperationalError:
            raise StoreUnavailable("the database did not answer") from None
        except psycopg.Error as error:
            raise StatementRefused(error.sqlstate or "no SQLSTATE") from None
