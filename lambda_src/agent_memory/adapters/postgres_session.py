"""One connection to PostgreSQL, spoken to by libpq's own calls: these wait no longer than they are told to.

It stays in pipeline mode. All that is sent up to one Sync is one transaction and one round trip: of one statement
nothing else is sent, and of several no BEGIN and no COMMIT, which would each be a round trip more.
"""

import select
import time
from collections.abc import Sequence

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format, PGconn, PollingStatus
from psycopg.pq.abc import PGresult

from agent_memory.adapters import kept
from agent_memory.adapters.sqlstate import refusal
from agent_memory.domain.database import Call, Row, Scalar

_BOOL, _BYTEA, _INT8, _TEXT, _FLOAT8 = 16, 17, 20, 25, 701
_INTEGERS, _FLOATS = {_INT8, 21, 23}, {700, _FLOAT8}
_READY = {PollingStatus.READING: select.POLLIN, PollingStatus.WRITING: select.POLLOUT}


class Session:
    """OSError and psycopg.OperationalError mean that it has to be closed: what was sent may or may not happen."""

    def __init__(self, conninfo: str, deadline: float) -> None:
        self._pgconn = PGconn.connect_start(conninfo.encode())
        self._used_at = 0.0
        try:
            self._open(deadline)
        except BaseException:
            self.close()
            raise

    def _open(self, deadline: float) -> None:
        status = PollingStatus.FAILED if self._pgconn.status == ConnStatus.BAD else PollingStatus.WRITING
        while status in _READY:
            self._wait(_READY[status], deadline)
            status = PollingStatus(self._pgconn.connect_poll())
        if status != PollingStatus.OK:
            raise psycopg.OperationalError
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()

    def is_usable(self) -> bool:
        """Whether it is still open, as far as can be seen without asking."""
        return kept.is_usable(self._pgconn.socket, self._used_at)

    def close(self) -> None:
        """Drop it, whatever it is doing."""
        self._pgconn.finish()

    def run(self, calls: Sequence[Call], deadline: float) -> list[PGresult]:
        """Results of the calls, up to the first that was refused: then none of them happened."""
        for call in calls:
            bound = [_bound(value) for value in call.arguments.values()]
            self._pgconn.send_query_params(
                _sql(call),
                [value for value, _, _ in bound],
                [kind for _, kind, _ in bound],
                [given_as for _, _, given_as in bound],
            )
        self._pgconn.pipeline_sync()
        while self._pgconn.flush():
            if self._wait(select.POLLIN | select.POLLOUT, deadline) & select.POLLIN:
                self._pgconn.consume_input()  # or both sides would wait for the other to read
        results = self._results(deadline)
        self._used_at = time.time()
        return results

    def _results(self, deadline: float) -> list[PGresult]:
        results: list[PGresult] = []
        while True:
            while self._pgconn.is_busy():
                self._wait(select.POLLIN, deadline)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None and self._pgconn.status == ConnStatus.BAD:
                raise psycopg.OperationalError
            if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
                return results
            if result is not None:
                results.append(result)

    def _wait(self, events: int, deadline: float) -> int:
        poll = select.poll()
        poll.register(self._pgconn.socket, events)
        ready = poll.poll(kept.time_left(deadline) * 1000)
        if not ready:
            raise TimeoutError
        return ready[0][1]


def rows(result: PGresult) -> list[Row]:
    """The rows of a result; raises what PostgreSQL says in their place."""
    if result.status != ExecStatus.TUPLES_OK:
        raise refusal((result.error_field(DiagnosticField.SQLSTATE) or b"no SQLSTATE").decode())
    columns = [((result.fname(at) or b"").decode(), result.ftype(at)) for at in range(result.nfields)]
    return [
        {name: _value(kind, result.get_value(row, at)) for at, (name, kind) in enumerate(columns)}
        for row in range(result.ntuples)
    ]


def _sql(call: Call) -> bytes:
    named = ", ".join(f"{name} => ${place}" for place, name in enumerate(call.arguments, 1))
    return f"SELECT * FROM memory.{call.function}({named})".encode()  # noqa: S608 (names are ours)


def _bound(value: Scalar) -> tuple[bytes | None, int, Format]:
    """A value, its type and its format. In text format a string would end at its first zero byte."""
    match value:
        case None:
            return None, 0, Format.TEXT
        case bool():
            return b"t" if value else b"f", _BOOL, Format.TEXT
        case int():
            return str(value).encode(), _INT8, Format.TEXT
        case float():
            return repr(value).encode(), _FLOAT8, Format.TEXT
        case bytes():
            return value, _BYTEA, Format.BINARY
        case _:
            return value.encode(), _TEXT, Format.BINARY


def _value(kind: int, text: bytes | None) -> Scalar:
    """What the Data API would answer: types without a place in it are text."""
    if text is None:
        return None
    if kind == _BOOL:
        return text == b"t"
    if kind in _INTEGERS:
        return int(text)
    if kind in _FLOATS:
        return float(text)
    if kind == _BYTEA:
        return bytes.fromhex(text[2:].decode())
    return text.decode()
