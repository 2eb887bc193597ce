"""PostgreSQL that plays an Aurora cluster, behind the Data API that plays AWS's."""

import functools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import botocore.config
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agent_memory.adapters import data_api
from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.adapters.data_api import DataApi
from agent_memory.adapters.schema_database import DataApiSchema
from agent_memory.adapters.sql_scripts import migrations, repeatables
from agent_memory.domain.database import Login, Script
from agent_memory.service.enable_login import EnableLogin
from agent_memory.service.migrate import Migrate, Patience
from local import postgres
from local.rds_data.cluster import Cluster, Credentials
from local.rds_data.server import RdsDataServer
from local.rds_data.sessions import Sessions

SQL = Path(__file__).parent.parent / "sql"
CLUSTER_ARN = "arn:aws:rds:us-east-1:000000000000:cluster:test"
MASTER_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds!cluster-test"
APP_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:app"
ROLES = ("memory_app", "memory_app_iam", "memory_rw", "memory_migrator", "memory_owner", "root1")


class InMemorySecret:
    """A secret that Terraform has made and nobody has filled."""

    def __init__(self) -> None:
        self.login: Login | None = None

    def read(self) -> Login | None:
        return self.login

    def write(self, login: Login) -> None:
        self.login = login


@dataclass
class Aurora:
    """A fresh cluster: no roles of ours, an empty database, an unfilled secret."""

    superuser_dsn: str
    secret: InMemorySecret = field(default_factory=InMemorySecret)

    def __post_init__(self) -> None:
        self.credentials: Credentials = self._secret_login
        cluster = Cluster(self.superuser_dsn, self._login, "memory")
        self.sessions = Sessions(cluster.connect, idle_s=180)
        self.server = RdsDataServer(0, self.sessions)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.client = boto3.client(
            "rds-data",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def close(self) -> None:
        self.client.close()
        self.server.shutdown()
        self.server.server_close()

    def _login(self, arn: str) -> tuple[str, str]:
        return ("root1", "correct horse") if arn == MASTER_ARN else self.credentials(arn)

    def _secret_login(self, _arn: str) -> tuple[str, str]:
        login = self.secret.login or Login("nobody", "guess")
        return login.username, login.password

    def as_master(self, client: AwsRestClient | None = None) -> DataApi:
        return DataApi(client or self.rest_client(), CLUSTER_ARN, MASTER_ARN, "memory")

    def as_app(self, client: AwsRestClient | None = None) -> DataApi:
        return DataApi(client or self.rest_client(), CLUSTER_ARN, APP_ARN, "memory")

    def rest_client(self, endpoint: str | None = None) -> AwsRestClient:
        """A client as a fresh function makes it; `endpoint` is another way to the same service."""
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL_RDS_DATA": endpoint or self.endpoint}):
            return data_api.make_client("us-east-1")

    def migrate(
        self, folder: Path = SQL, schema: DataApiSchema | None = None, within: Patience | None = None
    ) -> Migrate:
        schema = schema or DataApiSchema(self.as_master())
        return Migrate(schema, *scripts(folder), within or patience(600))

    def enable_login(self) -> EnableLogin:
        return EnableLogin(DataApiSchema(self.as_master()), self.secret, self.as_app().accepts_login, patience(60))

    def superuser(self, database: str = "memory") -> psycopg.Connection[Any]:
        return psycopg.connect(make_conninfo(self.superuser_dsn, dbname=database), autocommit=True)

    def app_dsn(self) -> str:
        assert self.secret.login
        login = self.secret.login
        return make_conninfo(self.superuser_dsn, dbname="memory", user=login.username, password=login.password)


def patience(seconds: float, sleep: Callable[[float], None] = lambda _: None) -> Patience:
    """Counts what is slept as if it were, and sleeps a hundredth of it."""
    slept: list[float] = []

    def nap(wait: float) -> None:
        slept.append(wait)
        sleep(wait)
        time.sleep(wait / 100)

    return Patience(seconds, lambda: sum(slept), nap)


@functools.lru_cache(maxsize=1)  # splitting takes a while; a test that edits a copy does so before it runs it
def scripts(folder: Path) -> tuple[list[Script], list[Script]]:
    return migrations(folder), repeatables(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def superuser_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("postgres")
    yield postgres.start(folder, free_port())
    postgres.stop(folder)


@pytest.fixture
def aurora(superuser_dsn: str) -> Iterator[Aurora]:
    _wipe(superuser_dsn)
    made = Aurora(superuser_dsn)
    assert made.as_master().accepts_login()  # RDS makes the master user and the database with the cluster
    yield made
    made.close()


@pytest.fixture(scope="module")
def migrated(superuser_dsn: str) -> Iterator[Aurora]:
    """One migrated cluster for all tests of a module: those that only look, or clean up after themselves."""
    _wipe(superuser_dsn)
    made = Aurora(superuser_dsn)
    made.migrate().run()
    made.enable_login().run("data_api", rotate=False)
    yield made
    made.close()


def _wipe(superuser_dsn: str) -> None:
    with psycopg.connect(superuser_dsn, autocommit=True) as superuser:
        superuser.execute("DROP DATABASE IF EXISTS memory WITH (FORCE)")
        for role in ROLES:
            superuser.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
