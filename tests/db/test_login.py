"""The application's login: one role, a password that only the secret knows, repaired and rotated."""

from typing import Any

import psycopg
import pytest
from botocore.httpsession import get_cert_path
from psycopg.conninfo import conninfo_to_dict

from agent_memory.adapters.postgres import Postgres, TokenLogin
from agent_memory.adapters.schema_database import DataApiSchema
from agent_memory.domain.database import Login
from agent_memory.errors import StoreUnavailable
from agent_memory.service.enable_login import EnableLogin
from tests.fix_postgres import Aurora, patience

CA = str(get_cert_path(True))


@pytest.fixture
def fresh(aurora: Aurora) -> Aurora:
    aurora.migrate().run()
    return aurora


def login_roles(aurora: Aurora) -> dict[str, bool]:
    with aurora.superuser() as superuser:
        rows = superuser.execute("SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'memory_app%'")
        return dict(rows.fetchall())


def stored_verifier(aurora: Aurora) -> object:
    with aurora.superuser() as superuser:
        return superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'memory_app'").fetchone()


@pytest.mark.parametrize("connection", ["data_api", "proxy"])
def test_with_a_password_only_the_password_role_logs_in(fresh: Aurora, connection: str) -> None:
    assert fresh.enable_login().run(connection, rotate=False) == "memory_app"

    assert login_roles(fresh) == {"memory_app": True, "memory_app_iam": False}
    assert fresh.as_app().accepts_login()
    psycopg.connect(fresh.app_dsn()).close()


def test_directly_only_the_token_role_logs_in_and_no_password_is_left(fresh: Aurora) -> None:
    fresh.enable_login().run("data_api", rotate=False)

    assert fresh.enable_login().run("direct", rotate=False) == "memory_app_iam"

    assert login_roles(fresh) == {"memory_app": False, "memory_app_iam": True}
    assert stored_verifier(fresh) == (None,)
    assert not fresh.as_app().accepts_login()
    with fresh.superuser() as superuser:
        assert superuser.execute("SELECT pg_has_role('memory_app_iam', 'rds_iam', 'usage')").fetchone() == (True,)


def test_the_mode_can_be_changed_back(fresh: Aurora) -> None:
    fresh.enable_login().run("direct", rotate=False)
    fresh.enable_login().run("data_api", rotate=False)

    assert login_roles(fresh) == {"memory_app": True, "memory_app_iam": False}
    assert fresh.as_app().accepts_login()


def test_directly_no_password_is_ever_made(fresh: Aurora) -> None:
    fresh.enable_login().run("direct", rotate=False)

    assert fresh.secret.login is None


def test_a_second_run_keeps_the_password(fresh: Aurora) -> None:
    fresh.enable_login().run("data_api", rotate=False)
    login, verifier = fresh.secret.login, stored_verifier(fresh)

    fresh.enable_login().run("data_api", rotate=False)

    assert (fresh.secret.login, stored_verifier(fresh)) == (login, verifier)


def test_rotation_replaces_the_password(fresh: Aurora) -> None:
    fresh.enable_login().run("data_api", rotate=False)
    old = fresh.app_dsn()

    fresh.enable_login().run("data_api", rotate=True)

    assert fresh.as_app().accepts_login()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)


def test_a_run_killed_after_writing_the_secret_is_repaired_by_the_next(fresh: Aurora) -> None:
    fresh.enable_login().run("data_api", rotate=False)
    fresh.secret.write(Login("memory_app", "written, but never given to the role"))
    assert not fresh.as_app().accepts_login()

    fresh.enable_login().run("data_api", rotate=False)

    assert fresh.secret.login == Login("memory_app", "written, but never given to the role")
    assert fresh.as_app().accepts_login()


def test_no_statement_carries_the_password_or_its_verifier(fresh: Aurora, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []

    client = fresh.rest_client()
    call = client.call

    def recorded(path: str, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        statements.append(request.get("sql", ""))
        return call(path, request, deadline)

    monkeypatch.setattr(client, "call", recorded)
    schema = DataApiSchema(fresh.as_master(client))
    EnableLogin(schema, fresh.secret, fresh.as_app().accepts_login, patience(60)).run("data_api", rotate=True)

    assert fresh.secret.login
    assert statements
    assert not any(fresh.secret.login.password in one or "SCRAM" in one for one in statements)
    assert fresh.secret.login.password not in repr(fresh.secret.login)


def test_a_token_is_never_sent_without_tls(fresh: Aurora) -> None:
    """The embedded server has no TLS, so nothing may come of it."""
    made: list[str] = []

    def token() -> str:
        made.append("token")
        return "token"

    address = conninfo_to_dict(fresh.superuser_dsn)
    login = TokenLogin(token, str(address["host"]), int(str(address["port"])), "memory_app_iam", "memory", CA)

    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        psycopg.connect(login())
    with pytest.raises(StoreUnavailable):
        Postgres(login).call("readiness", {})
    assert len(made) == 2  # a new one each time


def test_enabling_tokens_does_not_lock_the_master_user_out(fresh: Aurora) -> None:
    """RDS refuses the password of whoever inherits from rds_iam, through other roles too."""
    fresh.enable_login().run("direct", rotate=False)

    with fresh.superuser() as superuser:
        assert superuser.execute("SELECT pg_has_role('root1', 'rds_iam', 'usage')").fetchone() == (False,)
    assert fresh.as_master().accepts_login()
