"""The application's login in Secrets Manager, in the shape that the Data API and RDS Proxy read."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.domain.database import Login
from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient


class SecretsManagerLogin:
    """One secret: {"username", "password"}."""

    def __init__(self, client: "SecretsManagerClient", secret_arn: str) -> None:
        self._client = client
        self._secret_arn = secret_arn

    def read(self) -> Login | None:
        """The login, or None while the secret was never filled."""
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_arn)
        except self._client.exceptions.ResourceNotFoundException:
            return None  # Terraform made the secret; it has no value yet
        except (BotoCoreError, ClientError):
            raise StoreUnavailable("Secrets Manager did not hand out the application's login") from None
        if "SecretString" not in answer:
            return None  # a secret without a value, as stand-ins answer it
        value = json.loads(answer["SecretString"])
        return Login(value["username"], value["password"])

    def write(self, login: Login) -> None:
        """Make this the login; the one before stays readable as AWSPREVIOUS."""
        value = json.dumps({"username": login.username, "password": login.password})
        try:
            self._client.put_secret_value(SecretId=self._secret_arn, SecretString=value)
        except (BotoCoreError, ClientError):
            raise StoreUnavailable("Secrets Manager did not take the application's login") from None
