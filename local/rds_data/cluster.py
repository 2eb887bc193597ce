"""Logs in as the service does, and keeps a look-alike of Aurora's master user in a PostgreSQL that has none.

The master user of RDS creates roles and databases but is no superuser. It may also create extensions and grant rds_iam;
pgvector is not marked as trusted, so the look-alike gets the extension from the superuser, along with the database.
"""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient

Credentials = Callable[[str], tuple[str, str]]
"""(user, password) that a secret's ARN holds."""


def from_secrets_manager(client: "SecretsManagerClient") -> Credentials:
    """Read the secret on every call, so that a rotation counts at once."""

    def read(arn: str) -> tuple[str, str]:
        value = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
        return value["username"], value["password"]

    return read


class Cluster:
    """One PostgreSQL server that plays an Aurora cluster."""

    def __init__(self, superuser_dsn: str, credentials: Credentials, database: str) -> None:
        self._superuser_dsn = superuser_dsn
        self._credentials = credentials
        self._database = database
        self._masters: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def connect(self, secret_arn: str, database: str) -> psycopg.Connection:
        """A connection with the secret's login; the secret that RDS manages is the master user's."""
        user, password = self._credentials(secret_arn)
        if ":secret:rds!cluster-" in secret_arn:
            self._ensure_master(user, password)
        dsn = make_conninfo(self._superuser_dsn, user=user, password=password, dbname=database or user)
        return psycopg.connect(dsn, autocommit=True)

    def _ensure_master(self, user: str, password: str) -> None:
        with self._lock:
            if (user, password) in self._masters:
                return
            with psycopg.connect(self._superuser_dsn, autocommit=True) as superuser:
                _create_roles(superuser, user, password)
                if _create_database(superuser, self._database, user):
                    self._create_extension()
            self._masters.add((user, password))

    def _create_extension(self) -> None:
        with psycopg.connect(make_conninfo(self._superuser_dsn, dbname=self._database), autocommit=True) as superuser:
            superuser.execute("CREATE EXTENSION vector")


def _create_roles(superuser: psycopg.Connection, master: str, password: str) -> None:
    for role in (master, "rds_superuser", "rds_iam"):
        if not superuser.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            superuser.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    rules = sql.SQL("ALTER ROLE {} LOGIN CREATEROLE CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD {}")
    superuser.execute(rules.format(sql.Identifier(master), sql.Literal(password)))
    superuser.execute(sql.SQL("GRANT rds_superuser TO {}").format(sql.Identifier(master)))
    grant = sql.SQL("GRANT rds_iam TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    superuser.execute(grant.format(sql.Identifier(master)))


def _create_database(superuser: psycopg.Connection, database: str, owner: str) -> bool:
    if superuser.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
        return False
    create = sql.SQL("CREATE DATABASE {} OWNER {}")
    superuser.execute(create.format(sql.Identifier(database), sql.Identifier(owner)))
    return True
