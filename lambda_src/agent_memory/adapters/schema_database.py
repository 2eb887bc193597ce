"""The schema as the master user changes it, always over the Data API: that needs no network of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from agent_memory.adapters.data_api import DataApi
from agent_memory.domain.database import Script

_LOCK = 6_017_422_351_908_113  # any number that nobody else locks in this database


class DataApiSchema:
    """Transactions of the master user."""

    def __init__(self, master: DataApi) -> None:
        self._master = master

    @contextmanager
    def transaction(self) -> Iterator["DataApiSchemaTransaction"]:
        """A transaction that commits at the end of the block, or rolls back when the block raises."""
        with self._master.transaction() as begun:
            yield DataApiSchemaTransaction(self._master, begun)

    def tables(self) -> list[str]:
        """Names of the tables and partitions that hold tenants' data."""
        sql = (
            "SELECT CAST(relname AS text) AS name FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = CAST('memory' AS regnamespace) ORDER BY relname"
        )
        return [str(row["name"]) for row in self._master.execute(sql, {})]

    def vacuum(self, table: str) -> None:
        """Remove from the disk what was deleted; the master user may, owning the database, though not the table.

        Indexes are cleaned however little there is to clean: what was deleted must leave the vector graphs too. A large
        table's vacuum outlasts the call; asked for again, it is left to finish.
        """
        self._master.execute(f'VACUUM (INDEX_CLEANUP ON, SKIP_LOCKED) memory."{table}"', {}, outlasts_the_call=True)

    def breaches(self, rule: Script) -> int:
        """How many rows a rule finds in the catalogue, which everybody may read."""
        (question,) = rule.statements
        (row,) = self._master.execute(f"SELECT count(*) AS found FROM ({question}) AS rule", {})  # noqa: S608 (ours)
        return int(str(row["found"]))


class DataApiSchemaTransaction:
    """Statements of one transaction. No result may have a type that the Data API cannot carry, such as void."""

    def __init__(self, master: DataApi, transaction_id: str) -> None:
        self._master = master
        self._id = transaction_id

    def lock(self) -> bool:
        """Whether this transaction is now the only one that changes the schema; it never waits."""
        found = self._master.execute("SELECT pg_try_advisory_xact_lock(:key) AS held", {"key": _LOCK}, self._id)
        return bool(found[0]["held"])

    def ledger(self) -> Mapping[str, str]:
        """Hashes of the scripts that the database has seen; none before the first migration made the table."""
        exists = "SELECT to_regclass('memory_admin.ledger') IS NOT NULL AS made"
        if not self._master.execute(exists, {}, self._id)[0]["made"]:
            return {}
        rows = self._master.execute("SELECT name, sha256 FROM memory_admin.ledger", {}, self._id)
        return {str(row["name"]): str(row["sha256"]) for row in rows}

    def run(self, statement: str) -> None:
        """Run one statement of a script."""
        self._master.execute(statement, {}, self._id)

    def record(self, script: Script, version: int | None) -> None:
        """Write to the ledger that the script has run, as the master user again, whose table it is."""
        self.run("SET LOCAL ROLE NONE")
        self._master.execute(
            "INSERT INTO memory_admin.ledger (name, version, sha256) VALUES (:name, :version, :sha256)"
            " ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()",
            {"name": script.name, "version": version, "sha256": script.sha256},
            self._id,
        )

    def login_roles(self) -> set[str]:
        """Which of the application's roles may log in."""
        sql = (
            "SELECT CAST(rolname AS text) AS role FROM pg_roles"
            " WHERE rolcanlogin AND rolname IN ('memory_app', 'memory_app_iam')"
        )
        return {str(row["role"]) for row in self._master.execute(sql, {}, self._id)}

    def set_login(self, role: str, verifier: str | None) -> None:
        """Let only this role log in, with a new password when a verifier is given."""
        sql = "SELECT memory_admin.set_login(:role, :verifier) AS done"
        self._master.execute(sql, {"role": role, "verifier": verifier}, self._id)
