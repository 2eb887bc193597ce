"""Let the application log in as the connection mode wants it: one role, and no password that anybody chose or saw."""

import secrets
from collections.abc import Callable
from functools import partial

from agent_memory.domain.database import Login, LoginSecret, SchemaDatabase
from agent_memory.domain.scram import verifier
from agent_memory.service.migrate import Patience, lock

PASSWORD_ROLE = "memory_app"  # noqa: S105 (the name of a role)
TOKEN_ROLE = "memory_app_iam"  # noqa: S105


class EnableLogin:
    """Enables one role and disables the other.

    The secret is written before the role is changed. A run that dies in between leaves a secret that does not log in;
    the next run finds that out and gives the role the password from the secret.
    """

    def __init__(
        self, schema: SchemaDatabase, secret: LoginSecret, works: Callable[[], bool], patience: Patience
    ) -> None:
        self._schema = schema
        self._secret = secret
        self._works = works
        self._patience = patience

    def run(self, connection: str, *, rotate: bool) -> str:
        """The role that may log in now; `rotate` gives it a new password."""
        if connection == "direct":
            self._set(TOKEN_ROLE, None)
            return TOKEN_ROLE
        self._set(PASSWORD_ROLE, self._new_verifier(rotate=rotate))
        return PASSWORD_ROLE

    def _new_verifier(self, *, rotate: bool) -> str | None:
        """None when the secret's password is the role's already."""
        login = self._patience.until_done(self._secret.read)
        if login is None or rotate:
            login = Login(PASSWORD_ROLE, secrets.token_urlsafe(32))
            self._patience.until_done(partial(self._secret.write, login))
        elif self._patience.until_done(self._works):
            return None
        return verifier(login.password, secrets.token_bytes(16))

    def _set(self, role: str, new_verifier: str | None) -> None:
        def step() -> None:
            with self._schema.transaction() as transaction:
                lock(transaction)
                if new_verifier or transaction.login_roles() != {role}:
                    transaction.set_login(role, new_verifier)

        self._patience.until_done(step)
