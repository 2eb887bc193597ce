"""The application's login in Secrets Manager."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from agent_memory.adapters.login_secret import SecretRefused, SecretsManagerLogin
from agent_memory.domain.database import Login
from agent_memory.errors import AgentMemoryError, StoreUnavailable


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


def test_a_secret_that_was_never_filled_holds_no_login(client: Any) -> None:
    arn = client.create_secret(Name="app")["ARN"]

    assert SecretsManagerLogin(client, arn).read() is None


def test_a_login_is_read_as_it_was_written(client: Any) -> None:
    secret = SecretsManagerLogin(client, client.create_secret(Name="app")["ARN"])

    secret.write(Login("memory_app", "one"))
    secret.write(Login("memory_app", "two"))

    assert secret.read() == Login("memory_app", "two")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 400, SecretRefused),
        ("ThrottlingException", 400, StoreUnavailable),
        ("InternalServiceError", 500, StoreUnavailable),
    ],
)
def test_only_what_may_pass_with_time_is_unavailable(
    client: Any, code: str, status: int, kind: type[AgentMemoryError]
) -> None:
    with Stubber(client) as stub:
        for operation in ("get_secret_value", "put_secret_value"):
            stub.add_client_error(operation, code, "words that quote a secret", status)

        secret = SecretsManagerLogin(client, "arn:aws:secretsmanager:us-east-1:000000000000:secret:app")
        with pytest.raises(AgentMemoryError) as read:
            secret.read()
        with pytest.raises(AgentMemoryError) as written:
            secret.write(Login("memory_app", "one"))

    for error in (read.value, written.value):
        assert type(error) is kind
        assert "quote" not in str(error)
        assert error.__suppress_context__
