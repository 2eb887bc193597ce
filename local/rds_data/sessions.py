"""Connections and transactions: one connection per call, or one per transaction until it ends or goes stale."""

import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from local.json_service import ServiceError
from local.rds_data.errors import DATABASE_ERROR, database_error

Connect = Callable[[str, str], psycopg.Connection]
"""Opens a connection to a database with the login that a secret's ARN holds."""

_LOGIN_REFUSALS = (
    (re.compile(r"password authentication failed for user \S+"), "28P01"),
    (re.compile(r"role \S+ is not permitted to log in"), "28000"),
    (re.compile(r"permission denied for database \S+"), "42501"),
    (re.compile(r"database \S+ does not exist"), "3D000"),
)


@dataclass
class _Transaction:
    connection: psycopg.Connection
    busy: threading.Lock = field(default_factory=threading.Lock)
    timer: threading.Timer | None = None


class Sessions:
    """Open transactions by id."""

    def __init__(self, connect: Connect, idle_s: float) -> None:
        self._connect = connect
        self.idle_s = idle_s
        self._open: dict[str, _Transaction] = {}

    def begin(self, secret: str, database: str) -> str:
        """Open a transaction; its id."""
        transaction = _Transaction(self._connected(secret, database))
        execute(transaction.connection, "BEGIN")
        transaction_id = secrets.token_urlsafe(24)
        self._open[transaction_id] = transaction
        self._rewind(transaction_id, transaction)
        return transaction_id

    @contextlib.contextmanager
    def connection(self, secret: str, database: str, transaction_id: str | None) -> Iterator[psycopg.Connection]:
        """The transaction's connection, or a new one for this call alone."""
        if transaction_id is None:
            with contextlib.closing(self._connected(secret, database)) as connection:
                yield connection
            return
        with self._held(transaction_id) as transaction:
            yield transaction.connection
            self._rewind(transaction_id, transaction)

    def end(self, transaction_id: str, verb: str) -> None:
        """COMMIT or ROLLBACK, and forget the transaction."""
        with self._held(transaction_id) as transaction:
            self._forget(transaction_id)
            with contextlib.closing(transaction.connection):
                execute(transaction.connection, verb)

    def expire(self) -> None:
        """Roll back every transaction, as if none had been called for too long."""
        for transaction_id in list(self._open):
            self._expire(transaction_id)

    @contextlib.contextmanager
    def _held(self, transaction_id: str) -> Iterator[_Transaction]:
        transaction = self._open.get(transaction_id)
        if transaction is None:
            raise ServiceError("TransactionNotFoundException", f"Transaction {transaction_id} is not found", 404)
        if not transaction.busy.acquire(blocking=False):
            raise ServiceError(DATABASE_ERROR, "Transaction is still running a query")
        try:
            yield transaction
        finally:
            transaction.busy.release()

    def _rewind(self, transaction_id: str, transaction: _Transaction) -> None:
        if transaction.timer:
            transaction.timer.cancel()
        transaction.timer = threading.Timer(self.idle_s, self._expire, [transaction_id])
        transaction.timer.daemon = True
        transaction.timer.start()

    def _expire(self, transaction_id: str) -> None:
        with contextlib.suppress(ServiceError):
            self.end(transaction_id, "ROLLBACK")

    def _forget(self, transaction_id: str) -> None:
        timer = self._open.pop(transaction_id).timer
        if timer:
            timer.cancel()

    def _connected(self, secret: str, database: str) -> psycopg.Connection:
        try:
            return self._connect(secret, database)
        except psycopg.OperationalError as error:
            for words, sqlstate in _LOGIN_REFUSALS:
                if found := words.search(str(error)):
                    raise database_error("FATAL", found[0], sqlstate) from error
            raise ServiceError("DatabaseUnavailableException", "", 504) from error


def execute(
    connection: psycopg.Connection, sql: str, parameters: list[tuple[int, bytes | None]] | None = None
) -> PGresult:
    """Run one statement by the extended protocol, under which PostgreSQL itself refuses a second one."""
    types, values = zip(*parameters, strict=True) if parameters else ((), ())
    try:
        result = connection.pgconn.exec_params(sql.encode(), list(values), param_types=list(types))
    except psycopg.OperationalError as error:
        raise ServiceError("DatabaseUnavailableException", "", 504) from error
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY):
        return result
    words, sqlstate = (
        (result.error_field(part) or b"").decode()
        for part in (DiagnosticField.MESSAGE_PRIMARY, DiagnosticField.SQLSTATE)
    )
    if not sqlstate:
        raise ServiceError("DatabaseUnavailableException", "", 504)
    if "multiple commands" in words:
        raise ServiceError("BadRequestException", "Multistatements aren't supported")
    raise database_error("ERROR", words, sqlstate)
