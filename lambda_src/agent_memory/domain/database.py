"""Ports of the SQL database: what the functions of the API ask of it, and what the schema function asks.

Every operation of the API is one SQL function of the schema `memory`, so the port is a call and not a statement.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent_memory.errors import AgentMemoryError

Scalar = str | int | float | bool | bytes | None
Row = Mapping[str, Scalar]


class StatementRefused(AgentMemoryError):
    """The database would not do it; sending it again will not help.

    `code` is the SQLSTATE or the service's error code: what the driver says beside it may quote data or secrets.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"the database refused a statement: {code}")
        self.code = code


@dataclass(frozen=True)
class Call:
    """One call of `memory.<function>` with named arguments."""

    function: str
    arguments: Mapping[str, Scalar]


class Database(Protocol):
    """Calls of SQL functions: all of a call happens or none of it.

    StoreUnavailable when the database is paused, full or away, or has not answered within `timeout_s`: whether it
    happened is then not known, so what writes must bear to be called again.
    """

    max_request_bytes: int  # that the arguments of one call may hold
    max_answer_bytes: int  # that the rows of one call may hold

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 2.0) -> list[Row]:
        """Rows of `memory.<function>`, called with named arguments."""

    def call_all(self, calls: Sequence[Call], timeout_s: float = 2.0) -> list[list[Row]]:
        """Rows of each call, in order: all of them happen, or none."""


@dataclass(frozen=True)
class Script:
    """One SQL file: its name, the hash of its bytes, and its statements in order."""

    name: str
    sha256: str
    statements: tuple[str, ...]

    @property
    def version(self) -> int:
        """The number that the file's name begins with."""
        return int(self.name.split("_")[0])


class SchemaTransaction(Protocol):
    """One transaction on the schema: everything in it happens, or nothing."""

    def lock(self) -> bool:
        """Whether this transaction is now the only one that changes the schema."""

    def ledger(self) -> Mapping[str, str]:
        """Hashes of the scripts that the database has seen, by name."""

    def run(self, statement: str) -> None:
        """Run one statement of a script."""

    def record(self, script: Script, version: int | None) -> None:
        """Write to the ledger that the script has run; a repeatable one has no version."""

    def login_roles(self) -> set[str]:
        """Which of the application's roles may log in."""

    def set_login(self, role: str, verifier: str | None) -> None:
        """Let only this role log in, with a new password when a verifier is given."""


class SchemaDatabase(Protocol):
    """The database as its master user sees it."""

    def transaction(self) -> AbstractContextManager[SchemaTransaction]:
        """A transaction that commits at the end of the block, or rolls back when the block raises."""

    def tables(self) -> list[str]:
        """Names of the tables and partitions that hold tenants' data."""

    def vacuum(self, table: str) -> None:
        """Remove from the disk what was deleted from a table and its indexes."""

    def breaches(self, rule: Script) -> int:
        """How much a rule finds; the schema keeps it when that is nothing."""


@dataclass(frozen=True, repr=False)
class Login:
    """A role's name and password; never shown."""

    username: str
    password: str


class LoginSecret(Protocol):
    """The secret that the application's functions read their login from."""

    def read(self) -> Login | None:
        """The login, or None while the secret was never filled."""

    def write(self, login: Login) -> None:
        """Make this the login."""
