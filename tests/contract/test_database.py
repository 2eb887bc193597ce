"""What every way to the SQL database promises: the fake, the Data API, and PostgreSQL's own protocol twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.database import Call, Database, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable
from tests.contract.probes import add_probes
from tests.fakes.database import TRANSIENT, InMemoryDatabase
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora, free_port


@dataclass
class Way:
    """One adapter, and the same one when nothing answers behind it."""

    database: Database
    away: Callable[[], Database]


@pytest.fixture(scope="module")
def probed(migrated: Aurora) -> Aurora:
    add_probes(migrated)
    return migrated


@pytest.fixture(params=["fake", "data_api", "direct", "proxy"])
def way(request: pytest.FixtureRequest, probed: Aurora, ways: Ways) -> Iterator[Way]:
    def paused() -> Database:
        probed.server.paused = True
        return probed.as_app()

    if request.param == "fake":
        yield Way(InMemoryDatabase(), lambda: InMemoryDatabase(away=True))
        return
    database = ways(request.param, probed)
    database.call("clear_notes", {})
    without_server = Postgres(lambda: f"host=127.0.0.1 port={free_port()}")
    yield Way(database, paused if request.param == "data_api" else lambda: without_server)
    probed.server.paused = False


def test_a_call_answers_rows_with_named_and_typed_columns(way: Way) -> None:
    given: dict[str, Scalar] = {
        "t": "né☕ 'quoted' \"twice\" \\ :it $1 %s",
        "i": 2**62,
        "f": 0.1,
        "b": False,
        "d": bytes(range(256)),
    }

    (row,) = way.database.call("say_again", given)

    assert list(row.items()) == [
        ("text", given["t"]),
        ("whole", 2**62),
        ("number", 0.1),
        ("flag", False),
        ("bytes", bytes(range(256))),
    ]
    assert [type(value) for value in row.values()] == [str, int, float, bool, bytes]


def test_nothing_is_a_value_of_every_type(way: Way) -> None:
    (row,) = way.database.call("say_again", dict.fromkeys("tifbd"))

    assert list(row.values()) == [None] * 5


def test_a_call_may_answer_no_row_at_all(way: Way) -> None:
    assert way.database.call("read_notes", {}) == []


def test_arguments_are_passed_by_name(way: Way) -> None:
    (row,) = way.database.call("say_again", {"d": b"", "b": True, "i": -1, "f": 1.0, "t": ""})

    assert list(row.values()) == ["", -1, 1.0, True, b""]


@pytest.mark.parametrize("tenant", ["acme", "a-1"])
def test_a_function_of_the_schema_is_called(way: Way, tenant: str) -> None:
    assert way.database.call("enter_tenant", {"tenant": tenant}) == [{"enter_tenant": tenant}]


@pytest.mark.parametrize(
    ("function", "arguments", "code"),
    [
        ("missing", {}, "42883"),
        ("enter_tenant", {"tenant": ""}, "42501"),
        ("enter_tenant", {"tenant": None}, "42501"),
        ("refuse", {"code": "23505"}, "23505"),
    ],
)
def test_a_refusal_tells_its_sqlstate_and_nothing_else(
    way: Way, function: str, arguments: dict[str, Scalar], code: str
) -> None:
    with pytest.raises(StatementRefused) as refused:
        way.database.call(function, arguments)

    assert refused.value.code == code
    assert str(refused.value) == f"the database refused a statement: {code}"
    assert refused.value.__cause__ is None
    assert way.database.call("read_notes", {}) == []


@pytest.mark.parametrize("code", TRANSIENT)
def test_what_may_pass_is_unavailable_for_now(way: Way, code: str) -> None:
    with pytest.raises(StoreUnavailable) as unavailable:
        way.database.call("refuse", {"code": code})

    assert unavailable.value.message == "the database is busy"
    assert unavailable.value.__cause__ is None
    assert way.database.call("read_notes", {}) == []


def test_several_calls_answer_in_order_and_happen_together(way: Way) -> None:
    answers = way.database.call_all([Call("write_note", {"note": "a"}), Call("write_note", {"note": "b"})])

    assert answers == [[{"written": "a"}], [{"written": "b"}]]
    assert way.database.call("read_notes", {}) == [{"note": "a"}, {"note": "b"}]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_when_one_call_is_refused_none_has_happened(way: Way, position: int) -> None:
    calls = [Call("write_note", {"note": "a"}), Call("write_note", {"note": "b"})]
    calls.insert(position, Call("refuse", {"code": "22023"}))

    with pytest.raises(StatementRefused, match="22023"):
        way.database.call_all(calls)

    assert way.database.call("read_notes", {}) == []


def test_threads_that_share_a_database_each_get_their_own_answers(way: Way) -> None:
    def ask(number: int) -> Scalar:
        (row,) = way.database.call("say_again", {**dict.fromkeys("tifbd"), "i": number}, 20.0)
        return row["whole"]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(100))) == list(range(100))


def test_a_call_carries_as_many_bytes_as_it_says(way: Way) -> None:
    size = min(way.database.max_request_bytes, 10_000_000)

    assert way.database.call("measure", {"d": b"\x00" * size}, 10.0) == [{"bytes": size}]


def test_an_answer_carries_as_many_bytes_as_it_says(way: Way) -> None:
    size = min(way.database.max_answer_bytes, 10_000_000)

    (row,) = way.database.call("fill", {"bytes": size}, 10.0)

    assert row["filled"] == b"x" * size


def test_a_database_that_is_away_is_unavailable_for_now(way: Way) -> None:
    with pytest.raises(StoreUnavailable) as unavailable:
        way.away().call("readiness", {})

    assert unavailable.value.retry_after_s
    assert "127.0.0.1" not in str(unavailable.value)
    assert unavailable.value.__cause__ is None
