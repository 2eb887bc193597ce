"""The application's login in Secrets Manager, in the shape that the Data API and RDS Proxy read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.domain.database import Login
from agent_memory.errors import AgentMemoryError, StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient


class SecretRefused(AgentMemoryError):
    """Secrets Manager will not do it, now or later."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Secrets Manager refused the application's login: {code}")
        self.code = code


class SecretsManagerLogin:
    """One secret: {"username", "password"}."""

    def __init__(self, client: "SecretsManagerClient", secret_arn: str) -> None:
        self._client = client
        self._secret_arn = secret_arn

    def read(self) -> Login | None:
        """The login, or None while the secret was never filled."""
        try:
            with _translated():
                answer = self._client.get_secret_value(SecretId=self._secret_arn)
        except SecretRefused as error:
            if error.code == "ResourceNotFoundException":
                return None  # Terraform made the secret; it has no value yet
            raise
        if "SecretString" not in answer:
            return None  # the stand-in's answer for a secret that has no value yet
        value = json.loads(answer["SecretString"])
        return Login(value["username"], value["password"])

    def write(self, login: Login) -> None:
        """Make this the login; the one before stays readable as AWSPREVIOUS."""
        value = json.dumps({"username": login.username, "password": login.password})
        with _translated():
            self._client.put_secret_value(SecretId=self._secret_arn, SecretString=value)


@contextmanager
def _translated() -> Iterator[None]:
    """Tell what may pass with time from what never will, such as a missing permission."""
    try:
        yield
    except BotoCoreError:
        raise StoreUnavailable("Secrets Manager did not answer") from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ThrottlingException" or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise StoreUnavailable("Secrets Manager did not do its work") from None
        raise SecretRefused(code) from None
