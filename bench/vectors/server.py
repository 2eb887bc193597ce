"""A PostgreSQL of the bench's own, as large as a small Aurora, with our schema in it."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from agent_memory.adapters.sql_scripts import migrations, repeatables
from local import postgres
from local.ports import ports
from local.rds_data.cluster import Cluster
from local.state import ROOT, State, chosen

_MASTER_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds!cluster-bench"
_SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "maintenance_work_mem": "2GB",
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "8GB",
    "autovacuum": "off",  # the bench vacuums when it has loaded, and nothing else moves while it measures
}


@contextmanager
def running() -> Iterator[str]:
    """The superuser's DSN of a fresh server, which is gone afterwards."""
    state = State(chosen().folder / "bench")
    postgres.stop(state.postgres)  # of a bench that was killed
    state.remove()
    port = ports(state).postgres
    try:
        dsn = postgres.start(state.postgres, port)
        with psycopg.connect(dsn, autocommit=True) as superuser:
            for name, value in _SETTINGS.items():
                superuser.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        postgres.stop(state.postgres)
        yield postgres.start(state.postgres, port)
    finally:
        postgres.stop(state.postgres)
        shutil.rmtree(state.folder)


def migrate(superuser_dsn: str) -> str:
    """Make a database and its schema, as the master user of Aurora does; the superuser's DSN of it."""
    login = ("root1", secrets.token_urlsafe(24))
    cluster = Cluster(superuser_dsn, lambda _: login, "memory")
    with closing(cluster.connect(_MASTER_ARN, "memory")) as master:
        for script in (*migrations(ROOT / "sql"), *repeatables(ROOT / "sql")):
            with master.transaction():
                for statement in script.statements:
                    master.execute(statement.encode())
    return make_conninfo(superuser_dsn, dbname="memory")


def log_in(superuser_dsn: str, role: str) -> psycopg.Connection:
    """A connection of a role that may now log in, made as the functions make theirs: nothing is prepared on it."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(superuser_dsn) as superuser:
        allow = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
        superuser.execute(allow.format(sql.Identifier(role), sql.Literal(password)))
    dsn = make_conninfo(superuser_dsn, user=role, password=password)
    return psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
