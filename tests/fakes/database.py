"""A database of the functions that the contract of `Database` calls."""

from collections.abc import Callable, Mapping, Sequence

from agent_memory.domain.database import Call, Row, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable

TRANSIENT = ("08006", "40001", "40P01", "53300", "55P03", "57014")


class InMemoryDatabase:
    """Keeps notes, says things again, and is taken away by a switch."""

    max_request_bytes = 1_000
    max_answer_bytes = 1_000

    def __init__(self, *, away: bool = False) -> None:
        self._away = away
        self._notes: list[str] = []
        self._functions: dict[str, Callable[..., list[Row]]] = {
            "enter_tenant": self._enter_tenant,
            "write_note": self._write_note,
            "read_notes": lambda: [{"note": note} for note in self._notes],
            "say_again": lambda t, i, f, b, d: [{"text": t, "whole": i, "number": f, "flag": b, "bytes": d}],
            "measure": lambda d: [{"bytes": len(d)}],
            "fill": lambda bytes: [{"filled": b"x" * bytes}],  # noqa: A006 - the argument's name
            "refuse": self._refuse,
        }

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 2.0) -> list[Row]:
        return self.call_all([Call(function, arguments)], timeout_s)[0]

    def call_all(self, calls: Sequence[Call], timeout_s: float = 2.0) -> list[list[Row]]:  # noqa: ARG002
        if self._away:
            raise StoreUnavailable("the database is away")
        before = list(self._notes)
        try:
            return [self._one(call.function, call.arguments) for call in calls]
        except (StatementRefused, StoreUnavailable):
            self._notes = before
            raise

    def _enter_tenant(self, tenant: str | None) -> list[Row]:
        if not tenant:
            raise StatementRefused("42501")
        return [{"enter_tenant": tenant}]

    def _write_note(self, note: str) -> list[Row]:
        self._notes.append(note)
        return [{"written": note}]

    def _refuse(self, code: str) -> list[Row]:
        raise StoreUnavailable("the database is busy") if code in TRANSIENT else StatementRefused(code)

    def _one(self, function: str, arguments: Mapping[str, Scalar]) -> list[Row]:
        if function not in self._functions:
            raise StatementRefused("42883")
        return self._functions[function](**arguments)
