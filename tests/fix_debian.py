"""The three ways from a function to PostgreSQL: the Data API, direct, and a proxy with TLS and tokens."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agent_memory.adapters.postgres import Postgres
from agent_memory.domain.database import Database
from tests.certificates import Authority
from tests.debian_servers import Server, start_pgbouncer, start_postgres, token
from tests.fix_postgres import Aurora
from tests.relay import Relay


@dataclass
class Ways:
    """`ways("proxy", aurora)` is the database as the application sees it in that connection mode."""

    folder: Path
    authority: Authority
    _proxies: dict[tuple[str, int], Server] = field(default_factory=dict)
    _relays: list[Relay] = field(default_factory=list)

    def __call__(self, mode: str, aurora: Aurora) -> Database:
        return self._reach(mode, aurora, self._port(mode, aurora))

    def relayed(self, mode: str, aurora: Aurora) -> tuple[Database, Relay]:
        """The database, and the stretch of network before it or before the service that stands before it."""
        relay = Relay(self._port(mode, aurora))
        self._relays.append(relay)
        return self._reach(mode, aurora, relay.port), relay

    def proxy(self, aurora: Aurora, pool_size: int = 10) -> Server:
        """The proxy in front of a cluster."""
        upstream = aurora.app_dsn()  # which changes with the application's password
        if (upstream, pool_size) not in self._proxies:
            folder = self.folder / str(len(self._proxies))
            folder.mkdir()
            self._proxies[upstream, pool_size] = start_pgbouncer(folder, self.authority, upstream, pool_size)
        return self._proxies[upstream, pool_size]

    def close(self) -> None:
        for relay in self._relays:
            relay.close()
        for server in self._proxies.values():
            server.stop()

    def _port(self, mode: str, aurora: Aurora) -> int:
        if mode == "data_api":
            return int(aurora.server.server_port)
        if mode == "direct":
            return int(str(conninfo_to_dict(aurora.superuser_dsn)["port"]))
        return self.proxy(aurora).port

    def _reach(self, mode: str, aurora: Aurora, port: int) -> Database:
        if mode == "data_api":
            return aurora.as_app(aurora.rest_client(f"http://127.0.0.1:{port}"))
        if mode == "direct":
            return Postgres(lambda: make_conninfo(aurora.app_dsn(), port=port))
        proxy = self.proxy(aurora)
        return Postgres(proxy.login("memory_app", token(proxy.port, "memory_app"), port))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the functions under test trust."""
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Ways]:
    made = Ways(tmp_path_factory.mktemp("ways"), authority)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tls_postgres(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[tuple[Server, str]]:
    """PostgreSQL with TLS, which the embedded one has not, and its superuser's DSN."""
    server, superuser = start_postgres(tmp_path_factory.mktemp("tls"), authority)
    yield server, superuser
    server.stop()
