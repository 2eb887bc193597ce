"""PostgreSQL, by each way that leads there."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent_memory.config import settings

if TYPE_CHECKING:
    from agent_memory.adapters.data_api import DataApi
    from agent_memory.domain.database import Database


@cache
def database() -> "Database":
    """PostgreSQL as the application's role, by the deployment's connection mode."""
    if settings.database_connection == "data_api":
        return data_api(settings.database_app_secret_arn)

    from agent_memory.adapters.postgres import Postgres, TokenLogin
    from agent_memory.adapters.sigv4 import Credentials, connect_token

    host, port = settings.database_endpoint
    region, user = settings.region, settings.database_user
    # A cluster shows a certificate of RDS's own authorities; a proxy one of Amazon's public authorities.
    own = str(Path(__file__).parent.parent / "rds-ca.pem")
    ca_path = settings.database_ca_path or (own if settings.database_connection == "direct" else _public_authorities())

    def token() -> str:
        return connect_token(Credentials.from_environment(), region=region, host=host, port=port, user=user)

    return Postgres(TokenLogin(token, host, port, user, settings.database_name, ca_path))


def _public_authorities() -> str:
    """The bundle that botocore brings along, found without botocore's import, which takes longer than a login."""
    from importlib.util import find_spec

    found = find_spec("botocore")
    assert found  # noqa: S101 - it is in the zip
    return str(Path(str(found.origin)).parent / "cacert.pem")


def data_api(secret_arn: str) -> "DataApi":
    """The database as the role whose secret this is."""
    from agent_memory.adapters.data_api import DataApi, make_client

    return DataApi(make_client(settings.region), settings.database_cluster_arn, secret_arn, settings.database_name)
