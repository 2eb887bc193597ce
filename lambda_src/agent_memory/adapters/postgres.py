"""The database over PostgreSQL's own protocol: straight to the cluster, or through RDS Proxy."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGresult

from agent_memory.adapters.postgres_session import Session, rows
from agent_memory.domain.database import Call, Row, Scalar
from agent_memory.errors import StoreUnavailable


@dataclass(frozen=True)
class TokenLogin:
    """Logs in with an IAM token for a password, over TLS that proves who the server is and nothing less."""

    token: Callable[[], str]  # a new one each time: it opens connections for 15 minutes
    host: str
    port: int
    user: str
    database: str
    ca_path: str

    def __call__(self) -> str:
        """What libpq needs to know for one connection."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            user=self.user,
            dbname=self.database,
            password=self.token(),
            sslmode="verify-full",
            sslrootcert=self.ca_path,
            # A server that is gone without a word is noticed while nobody asks it anything.
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=10_000,
        )


class Postgres:
    """Calls of SQL functions on one connection, opened at the first call and kept while it is sound.

    Nothing is prepared on it and no setting outlives a transaction: a proxy would pin the session. A call is sent
    once: when its connection breaks, nobody knows whether it happened.
    """

    max_request_bytes = 100_000_000
    max_answer_bytes = 100_000_000

    def __init__(self, login: Callable[[], str]) -> None:
        self._login = login
        self._kept: Session | None = None
        self._lock = threading.Lock()  # two threads on one connection would read each other's answers

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 2.0) -> list[Row]:
        """Rows of `memory.<function>`, called with named arguments."""
        return self.call_all([Call(function, arguments)], timeout_s)[0]

    def call_all(self, calls: Sequence[Call], timeout_s: float = 2.0) -> list[list[Row]]:
        """Rows of each call, in order: all of them happen, or none."""
        deadline = time.monotonic() + timeout_s
        if not self._lock.acquire(timeout=timeout_s):
            raise StoreUnavailable("the database is busy")
        try:
            results = self._run(calls, deadline)
        except (OSError, psycopg.OperationalError):
            raise StoreUnavailable("the database did not answer") from None
        finally:
            self._lock.release()
        return [rows(result) for result in results]

    def _run(self, calls: Sequence[Call], deadline: float) -> list[PGresult]:
        session, self._kept = self._kept, None
        if session is not None and not session.is_usable():
            session.close()
            session = None
        session = session or Session(self._login(), deadline)
        try:
            results = session.run(calls, deadline)
        except BaseException:
            session.close()
            raise
        self._kept = session
        return results
