"""Servers that Debian's packages bring: PostgreSQL with TLS, and PgBouncer in front of another PostgreSQL."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from agent_memory.adapters.postgres import TokenLogin
from agent_memory.adapters.sigv4 import Credentials, connect_token
from local import postgres
from tests import debian
from tests.certificates import Authority
from tests.fix_postgres import free_port

HOST = "localhost"  # as the certificates of both servers say
_START_LIMIT_S = 30.0


@dataclass
class Server:
    """A program that runs as nobody until it is stopped."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    port: int
    ca_path: Path

    @classmethod
    def start(cls, folder: Path, port: int, ca_path: Path, *command: str | Path) -> "Server":
        found = debian.program(str(command[0]))
        words = [*postgres.unprivileged(), str(found.path), *map(str, command[1:])]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(words, env=found.environment, stdout=log, stderr=log, cwd="/")
        return cls(folder, process, port, ca_path)

    def await_login(self, conninfo: str) -> None:
        limit = time.monotonic() + _START_LIMIT_S
        while True:
            try:
                psycopg.connect(conninfo).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def login(self, user: str, password: str, port: int | None = None) -> TokenLogin:
        """How the deployed functions log in."""
        return TokenLogin(lambda: password, HOST, port or self.port, user, "memory", str(self.ca_path))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def token(port: int, user: str, minute: int = 0) -> str:
    """What logs in, as long as it is with the session token of a function's credentials."""
    credentials = Credentials("A" * 20, "secret", "session" * 100)
    at = datetime(2026, 1, 1, 0, minute, tzinfo=UTC)
    return connect_token(credentials, region="us-east-1", host=HOST, port=port, user=user, at=at)


def start_pgbouncer(folder: Path, authority: Authority, upstream: str, pool_size: int) -> Server:
    """PgBouncer in transaction mode with TLS: who comes with a token is logged in upstream as its DSN says."""
    port, given = free_port(), conninfo_to_dict(upstream)
    user = str(given["user"])
    certificate, key = authority.issue(HOST)
    users, ini = folder / "users", folder / "ini"
    users.write_text(f'"{user}" "{token(port, user)}"\n')
    ini.write_text(
        f"""
        [databases]
        memory = host={given["host"]} port={given["port"]} user={user} password={given["password"]}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = plain
        auth_file = {users}
        pool_mode = transaction
        default_pool_size = {pool_size}
        client_tls_sslmode = require
        client_tls_cert_file = {certificate}
        client_tls_key_file = {key}
        """
    )
    server = Server.start(folder, port, authority.path, "pgbouncer", ini)
    server.await_login(server.login(user, token(port, user))())
    return server


def start_postgres(folder: Path, authority: Authority) -> tuple[Server, str]:
    """PostgreSQL with TLS, and its superuser's DSN; passwords travel as they are, as tokens do on RDS."""
    data, port = folder / "data", free_port()
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, postgres.USER)
    initdb = debian.program("initdb")
    words = [*postgres.unprivileged(), str(initdb.path), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(words, env=initdb.environment, cwd="/", check=True, capture_output=True)
    (data / "pg_hba.conf").write_text("host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 password\n")
    certificate, key = authority.issue(HOST)
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": certificate,
        "ssl_key_file": key,
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = Server.start(folder, port, authority.path, "postgres", "-D", data, *options)
    superuser = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    server.await_login(superuser)
    return server, superuser
