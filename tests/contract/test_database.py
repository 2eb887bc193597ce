"""What every way to the SQL database promises: the fake, the Data API, and PostgreSQL's own protocol."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest

from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.database import Database, Row, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable
from tests.fix_postgres import Aurora, free_port


class InMemoryDatabase:
    """The functions of the schema that have no tables behind them, and a switch that takes the server away."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    def call(self, function: str, arguments: Mapping[str, Scalar]) -> list[Row]:
        if self._away:
            raise StoreUnavailable("the database is away")
        match function, dict(arguments):
            case "readiness", {}:
                return [{"schema_version": 5, "running_jobs": 0}]
            case "enter_tenant", {"tenant": str(tenant)} if tenant:
                return [{"enter_tenant": tenant}]
            case "enter_tenant", _:
                raise StatementRefused("42501")
        raise StatementRefused("42883")


@dataclass
class Way:
    """One adapter, and the same one when nothing answers behind it."""

    database: Database
    away: Callable[[], Database]


@pytest.fixture(params=["fake", "data_api", "postgres"])
def way(request: pytest.FixtureRequest, migrated: Aurora) -> Iterator[Way]:
    def without_server() -> Database:
        return Postgres(lambda: psycopg.connect(host="127.0.0.1", port=free_port(), connect_timeout=2))

    def paused() -> Database:
        migrated.server.paused = True
        return migrated.as_app()

    ways = {
        "fake": Way(InMemoryDatabase(), lambda: InMemoryDatabase(away=True)),
        "data_api": Way(migrated.as_app(), paused),
        "postgres": Way(Postgres(lambda: psycopg.connect(migrated.app_dsn(), autocommit=True)), without_server),
    }
    yield ways[request.param]
    migrated.server.paused = False


def test_a_call_answers_rows_with_named_and_typed_columns(way: Way) -> None:
    assert way.database.call("readiness", {}) == [{"schema_version": 5, "running_jobs": 0}]


@pytest.mark.parametrize("tenant", ["acme", "a-1"])
def test_arguments_are_passed_by_name(way: Way, tenant: str) -> None:
    assert way.database.call("enter_tenant", {"tenant": tenant}) == [{"enter_tenant": tenant}]


@pytest.mark.parametrize(
    ("function", "arguments", "code"),
    [("missing", {}, "42883"), ("enter_tenant", {"tenant": ""}, "42501"), ("enter_tenant", {"tenant": None}, "42501")],
)
def test_a_refusal_tells_its_sqlstate_and_nothing_else(
    way: Way, function: str, arguments: dict[str, Scalar], code: str
) -> None:
    with pytest.raises(StatementRefused) as refused:
        way.database.call(function, arguments)

    assert refused.value.code == code
    assert str(refused.value) == f"the database refused a statement: {code}"
    assert refused.value.__cause__ is None


def test_a_database_that_is_away_is_unavailable_for_now(way: Way) -> None:
    with pytest.raises(StoreUnavailable) as unavailable:
        way.away().call("readiness", {})

    assert unavailable.value.retry_after_s
    assert "127.0.0.1" not in str(unavailable.value)
    assert unavailable.value.__cause__ is None
