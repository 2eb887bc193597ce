"""The Data API's stand-in keeps the limits of the service, so that what works here can work there."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fix_postgres import CLUSTER_ARN, MASTER_ARN, Aurora

TARGET = {"resourceArn": CLUSTER_ARN, "secretArn": MASTER_ARN, "database": "memory"}
IN_TRANSACTION = {"resourceArn": CLUSTER_ARN, "secretArn": MASTER_ARN}


def run(aurora: Aurora, sql: str, *parameters: dict[str, Any], **more: Any) -> Any:
    return aurora.client.execute_statement(**TARGET, sql=sql, parameters=list(parameters), **more)


def error(call: Any, *arguments: Any, **named: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("true", {"booleanValue": True}),
        ("42", {"longValue": 42}),
        ("CAST(1.5 AS float8)", {"doubleValue": 1.5}),
        ("1.50", {"stringValue": "1.50"}),
        ("'né☕'", {"stringValue": "né☕"}),
        ("NULL::text", {"isNull": True}),
        ("'\\x00ff'::bytea", {"blobValue": b"\x00\xff"}),
        ("ARRAY['a', 'b']", {"arrayValue": {"stringValues": ["a", "b"]}}),
        ("ARRAY[1, 2]", {"arrayValue": {"longValues": [1, 2]}}),
        ("'{\"a\": 1.0}'::jsonb", {"stringValue": '{"a": 1.0}'}),
    ],
)
def test_results_come_back_typed(aurora: Aurora, expression: str, field: dict[str, Any]) -> None:
    assert run(aurora, f"SELECT {expression} AS it")["records"] == [[field]]


@pytest.mark.parametrize(
    ("value", "type_of"),
    [
        ({"stringValue": "x"}, "character varying"),
        ({"longValue": 2**40}, "bigint"),
        ({"doubleValue": 0.1}, "double precision"),
        ({"booleanValue": False}, "boolean"),
        ({"blobValue": b"\x00"}, "bytea"),
    ],
)
def test_parameters_are_typed(aurora: Aurora, value: dict[str, Any], type_of: str) -> None:
    answer = run(aurora, "SELECT CAST(pg_typeof(:it) AS text), :it AS it", {"name": "it", "value": value})

    assert answer["records"] == [[{"stringValue": type_of}, value]]


def test_a_type_hint_makes_a_string_a_uuid(aurora: Aurora) -> None:
    uuid = {"name": "it", "value": {"stringValue": "00000000-0000-0000-0000-000000000001"}}
    sql = "SELECT 1 AS one WHERE gen_random_uuid() <> :it"

    assert run(aurora, sql, {**uuid, "typeHint": "UUID"})["records"]
    code, message = error(run, aurora, sql, uuid)
    assert (code, message.endswith("SQLState: 42883")) == ("DatabaseErrorException", True)


def test_only_real_parameters_are_replaced(aurora: Aurora) -> None:
    sql = "SELECT ':it', $b$:it$b$, E'\\':it', CAST(:it AS text) /* :it */, '1'::text AS \":it\" -- :it"
    answer = run(aurora, sql, {"name": "it", "value": {"stringValue": "given"}})

    assert [field["stringValue"] for field in answer["records"][0]] == [":it", ":it", "':it", "given", "1"]


def test_a_parameter_that_was_not_given_is_refused(aurora: Aurora) -> None:
    assert error(run, aurora, "SELECT :it") == ("BadRequestException", "Cannot find parameter: it")


def test_one_statement_a_call(aurora: Aurora) -> None:
    assert error(run, aurora, "SELECT 1; SELECT 2")[0] == "BadRequestException"


@pytest.mark.parametrize("expression", ["pg_sleep(0)", "'pg_class'::regclass", "'[1]'::vector"])
def test_types_that_the_service_cannot_carry_are_refused(aurora: Aurora, expression: str) -> None:
    assert error(run, aurora, f"SELECT {expression} AS it")[0] == "UnsupportedResultException"


@pytest.mark.parametrize("sql", ["SELECT repeat('x', 1048576) AS it", "SELECT 1 -- " + "x" * 65_536])
def test_what_is_too_large_is_refused(aurora: Aurora, sql: str) -> None:
    assert error(run, aurora, sql)[0] == "BadRequestException"


def test_a_database_error_tells_its_sqlstate(aurora: Aurora) -> None:
    code, message = error(run, aurora, "SELECT * FROM nowhere")

    assert code == "DatabaseErrorException"
    assert message == 'ERROR: relation "nowhere" does not exist; SQLState: 42P01'


def test_a_transaction_is_one_connection_until_it_ends(aurora: Aurora) -> None:
    begun = aurora.client.begin_transaction(**TARGET)["transactionId"]
    run(aurora, "CREATE TABLE kept (id int)", transactionId=begun)
    assert error(run, aurora, "SELECT * FROM kept")[1].endswith("42P01")

    aurora.client.commit_transaction(**IN_TRANSACTION, transactionId=begun)

    assert run(aurora, "SELECT * FROM kept")["records"] == []
    assert error(run, aurora, "SELECT 1", transactionId=begun)[0] == "TransactionNotFoundException"


def test_a_transaction_that_nobody_calls_is_rolled_back(aurora: Aurora) -> None:
    aurora.sessions.idle_s = 0.01
    begun = aurora.client.begin_transaction(**TARGET)["transactionId"]
    with aurora.superuser() as superuser:
        while superuser.execute("SELECT 1 FROM pg_stat_activity WHERE usename = 'root1'").fetchone():
            pass

    assert error(aurora.client.commit_transaction, **IN_TRANSACTION, transactionId=begun)[0] == (
        "TransactionNotFoundException"
    )


def test_a_transaction_runs_one_statement_at_a_time(aurora: Aurora) -> None:
    blocker = aurora.client.begin_transaction(**TARGET)["transactionId"]
    begun = aurora.client.begin_transaction(**TARGET)["transactionId"]
    lock = "SELECT 1 AS one FROM (SELECT pg_advisory_xact_lock(1)) AS locked"
    run(aurora, lock, transactionId=blocker)
    waiting = threading.Thread(target=run, args=(aurora, lock), kwargs={"transactionId": begun})
    waiting.start()
    while not run(aurora, "SELECT 1 AS one FROM pg_locks WHERE NOT granted")["records"]:
        pass

    assert error(run, aurora, "SELECT 1", transactionId=begun)[1] == "Transaction is still running a query"
    aurora.client.rollback_transaction(**IN_TRANSACTION, transactionId=blocker)
    waiting.join()


def test_a_batch_runs_its_statement_once_a_set(aurora: Aurora) -> None:
    run(aurora, "CREATE TABLE many (id bigint)")
    sets = [[{"name": "id", "value": {"longValue": number}}] for number in range(3)]

    aurora.client.batch_execute_statement(**TARGET, sql="INSERT INTO many VALUES (:id)", parameterSets=sets)

    assert run(aurora, "SELECT count(*) FROM many")["records"] == [[{"longValue": 3}]]


def test_a_paused_cluster_is_resuming(aurora: Aurora) -> None:
    aurora.server.paused = True

    assert error(run, aurora, "SELECT 1")[0] == "DatabaseResumingException"


def test_a_login_that_is_refused_tells_why(aurora: Aurora) -> None:
    code, message = error(
        aurora.client.execute_statement, resourceArn=CLUSTER_ARN, secretArn="arn:aws:no-login", sql="SELECT 1"
    )

    assert (code, message[-15:]) == ("DatabaseErrorException", "SQLState: 28P01")
