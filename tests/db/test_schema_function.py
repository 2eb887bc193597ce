"""The schema function as Terraform invokes it: its handler, the real adapters, the stand-ins behind them."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from agent_memory.bootstrap import database
from agent_memory.entrypoints import schema
from agent_memory.errors import AgentMemoryError
from agent_memory.service.lint import RulesBroken
from local.rds_data.cluster import from_secrets_manager
from tests.fix_postgres import CLUSTER_ARN, MASTER_ARN, SQL, Aurora

RULES = len(list((SQL / "lint").glob("*.sql")))
MIGRATIONS = len(list((SQL / "migrations").glob("*.sql")))
REPEATABLES = len(list((SQL / "repeatable").glob("*.sql")))


class Context:
    aws_request_id = "request"

    def __init__(self, seconds: int = 60) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return self._seconds * 1000


@pytest.fixture
def secret(aurora: Aurora, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The function's environment, and the secret in Secrets Manager that it fills."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_RDS_DATA": f"http://127.0.0.1:{aurora.server.server_port}",
        "DATABASE_CONNECTION": "data_api",
        "DATABASE_NAME": "memory",
        "DATABASE_CLUSTER_ARN": CLUSTER_ARN,
        "DATABASE_MASTER_SECRET_ARN": MASTER_ARN,
        "VECTOR_INDEX": "quantized",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        arn = client.create_secret(Name="app")["ARN"]
        monkeypatch.setenv("DATABASE_APP_SECRET_ARN", arn)
        aurora.credentials = from_secrets_manager(client)
        database.database.cache_clear()
        yield lambda: json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
        database.database.cache_clear()


def test_a_first_run_migrates_and_fills_the_secret(aurora: Aurora, secret: Any) -> None:
    answer = schema.handler({}, Context())

    assert answer == {
        "version": MIGRATIONS,
        "applied": MIGRATIONS,
        "repeatable": REPEATABLES,
        "login_role": "memory_app",
        "vector_steps_left": 0,
    }
    assert secret()["username"] == "memory_app"
    assert database.database().call("readiness", {}) == [{"schema_version": MIGRATIONS, "running_jobs": 0}]


def test_a_second_run_does_nothing(aurora: Aurora, secret: Any) -> None:
    schema.handler({}, Context())
    before = secret()

    answer = schema.handler({}, Context())

    assert answer == {
        "version": MIGRATIONS,
        "applied": 0,
        "repeatable": 0,
        "login_role": "memory_app",
        "vector_steps_left": 0,
    }
    assert secret() == before


def test_the_wanted_layout_of_vectors_is_in_force_and_a_change_of_it_as_well(
    aurora: Aurora, secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for layout in ("quantized", "hnsw"):
        monkeypatch.setenv("VECTOR_INDEX", layout)

        assert schema.handler({}, Context())["vector_steps_left"] == 0

        with aurora.superuser() as superuser:
            assert superuser.execute("SELECT memory.vector_layout()").fetchone() == (layout,)
    assert database.database().call("readiness", {})[0]["running_jobs"] == 0


def test_an_operator_rotates_the_password(aurora: Aurora, secret: Any) -> None:
    schema.handler({}, Context())
    before = secret()

    schema.handler({"rotate": True}, Context())

    assert secret()["password"] != before["password"]
    assert database.database().call("readiness", {})


def test_a_schema_that_was_changed_by_hand_is_told_on(
    aurora: Aurora, secret: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    schema.handler({}, Context())
    assert schema.handler({"lint": True}, Context()) == {"rules": RULES}
    maintained = schema.handler({"maintain": True}, Context())
    assert maintained.pop("vacuumed") >= 20
    assert maintained == {"vector_steps_left": 0, "rules": RULES}
    with aurora.superuser() as superuser:
        superuser.execute("ALTER TABLE memory.chunks_p07 NO FORCE ROW LEVEL SECURITY")
    capsys.readouterr()

    for event in ({"lint": True}, {"maintain": True}):
        with pytest.raises(RulesBroken, match=r"the schema breaks rls_not_forced\.sql$"):
            schema.handler(event, Context())
        assert json.loads(capsys.readouterr().out)["reason"] == "the schema breaks rls_not_forced.sql"


def test_a_delete_by_terraform_changes_nothing(aurora: Aurora, secret: Any) -> None:
    assert schema.handler({"tf": {"action": "delete"}}, Context()) == {}

    with aurora.superuser() as superuser:
        assert superuser.execute("SELECT to_regnamespace('memory')").fetchone() == (None,)


def test_a_cluster_that_does_not_wake_up_is_named_when_time_runs_out(
    aurora: Aurora, secret: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    aurora.server.paused = True

    with pytest.raises(AgentMemoryError, match="resuming"):
        schema.handler({}, Context(seconds=30))

    assert json.loads(capsys.readouterr().out)["reason"] == "the database is resuming from its pause"


def test_the_unforeseen_is_logged_by_place_and_not_repeated(
    aurora: Aurora, secret: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_CLUSTER_ARN")

    with pytest.raises(schema.SchemaFailed) as failed:
        schema.handler({}, Context())

    assert str(failed.value) == "RuntimeError; see the function's log"
    assert failed.value.__suppress_context__
    assert json.loads(capsys.readouterr().out)["error"] == "RuntimeError"
