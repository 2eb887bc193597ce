"""The Data API as the service speaks: which errors may pass, and what is repeated of its words, which is nothing."""

import time
from collections.abc import Iterator

import pytest

from agent_memory.adapters import data_api
from agent_memory.adapters.data_api import DataApi
from agent_memory.domain.database import Call, StatementRefused
from agent_memory.errors import StoreUnavailable
from tests.rest_service import SECRET_WORDS, Fault, RestService, serving


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestService]:
    with serving() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS_DATA", made.endpoint)
        yield made


@pytest.fixture
def database(service: RestService) -> DataApi:
    return DataApi(data_api.make_client("eu-west-1"), "cluster", "secret", "memory")


def test_a_call_is_one_statement_with_typed_parameters(database: DataApi, service: RestService) -> None:
    database.call("f", {"t": "né", "i": 1, "f": 0.5, "b": True, "d": b"\x00\xff", "n": None})

    ((path, headers, body),) = service.requests
    assert path == "/Execute"
    assert "/eu-west-1/rds-data/aws4_request" in headers["authorization"]
    assert body == {
        "resourceArn": "cluster",
        "secretArn": "secret",
        "database": "memory",
        "sql": "SELECT * FROM memory.f(t => :t, i => :i, f => :f, b => :b, d => :d, n => :n)",
        "parameters": [
            {"name": "t", "value": {"stringValue": "né"}},
            {"name": "i", "value": {"longValue": 1}},
            {"name": "f", "value": {"doubleValue": 0.5}},
            {"name": "b", "value": {"booleanValue": True}},
            {"name": "d", "value": {"blobValue": "AP8="}},
            {"name": "n", "value": {"isNull": True}},
        ],
        "includeResultMetadata": True,
    }


def test_several_calls_are_one_transaction(database: DataApi, service: RestService) -> None:
    service.answer = {"transactionId": "t"}

    database.call_all([Call("f", {}), Call("g", {})])

    assert [path for path, _, _ in service.requests] == [
        "/BeginTransaction",
        "/Execute",
        "/Execute",
        "/CommitTransaction",
    ]
    assert [body.get("transactionId") for _, _, body in service.requests] == [None, "t", "t", "t"]
    assert all(body["resourceArn"] == "cluster" and body["secretArn"] == "secret" for _, _, body in service.requests)


@pytest.mark.parametrize("fault", [(400, "BadRequestException"), (503, "ServiceUnavailableError"), "hang up"])
def test_a_transaction_that_fails_is_rolled_back_and_not_repeated(
    database: DataApi, service: RestService, fault: Fault
) -> None:
    service.answer = {"transactionId": "t"}
    service.faults = [None, fault]

    with pytest.raises((StatementRefused, StoreUnavailable)):
        database.call_all([Call("f", {}), Call("g", {})])

    assert [path for path, _, _ in service.requests] == ["/BeginTransaction", "/Execute", "/RollbackTransaction"]


def test_time_is_left_to_roll_back_what_hangs(database: DataApi, service: RestService) -> None:
    service.answer = {"transactionId": "t"}
    service.faults = [None, "say nothing"]
    started = time.monotonic()

    with pytest.raises(StoreUnavailable):
        database.call_all([Call("f", {}), Call("g", {})], 1.0)

    assert time.monotonic() - started < 2.0
    assert service.requests[-1][0] == "/RollbackTransaction"


@pytest.mark.parametrize(
    ("fault", "message", "retry_after_s"),
    [
        ((400, "DatabaseResumingException"), "the database is resuming from its pause", 10),
        ((400, "ThrottlingException"), "the database service did not do its work", 1),
        ((404, "TransactionNotFoundException"), "the database service did not do its work", 1),
        ((400, "StatementTimeoutException"), "the database service did not do its work", 1),
        ((400, "InvalidResourceStateException"), "the database service did not do its work", 1),
        ((500, "InternalServerErrorException"), "the database service did not do its work", 1),
        ((504, "DatabaseUnavailableException"), "the database service did not do its work", 1),
        ("hang up", "the database service did not answer", 1),
        ("cut answer", "the database service did not answer", 1),
        ("no json", "the database service did not answer", 1),
    ],
)
def test_what_may_pass_is_unavailable_and_was_sent_once(
    database: DataApi, service: RestService, fault: Fault, message: str, retry_after_s: int
) -> None:
    service.faults = [fault]

    with pytest.raises(StoreUnavailable) as unavailable:
        database.call("f", {})

    assert (unavailable.value.message, unavailable.value.retry_after_s) == (message, retry_after_s)
    assert unavailable.value.__cause__ is None
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("AccessDeniedException", SECRET_WORDS, "AccessDeniedException"),
        ("DatabaseErrorException", f"ERROR: {SECRET_WORDS}; SQLState: 23505", "23505"),
        ("BadRequestException", f"{SECRET_WORDS}; SQLState: 0", "BadRequestException"),
    ],
)
def test_any_other_refusal_is_its_code_and_no_word_more(
    database: DataApi, service: RestService, name: str, words: str, code: str
) -> None:
    service.faults, service.words = [(400, name)], words

    with pytest.raises(StatementRefused) as refused:
        database.call("f", {})

    assert refused.value.code == code
    assert SECRET_WORDS not in f"{refused.value} {refused.value.details}"
    assert refused.value.__cause__ is None
