"""Subjects: a session belongs to the first user that is named for it."""

import time

from agent_memory.domain.ports import SubjectStore
from agent_memory.domain.state import StateKey
from agent_memory.errors import Conflict

_KEPT = 1000
# A binding goes only when its agent is purged; for this long a warm function may still hold a session to it. By the
# wall clock: others may stand still while a function is frozen.
_KEPT_S = 300.0


class Subjects:
    """Checks writes that name a user; a warm function asks once in five minutes."""

    def __init__(self, store: SubjectStore) -> None:
        self._store = store
        self._kept: dict[StateKey, tuple[float, str]] = {}

    def check(self, session: StateKey, user_id: str | None) -> None:
        """Bind the session to the user, or find that it is.

        Raises:
            Conflict: the session belongs to another user.
        """
        if user_id is None:
            return
        until, bound = self._kept.get(session, (0.0, ""))
        if until <= time.time():
            bound = self._store.bind(session.tenant_id, session.agent_id, session.session_id, user_id)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[session] = (time.time() + _KEPT_S, bound)
        if bound != user_id:
            raise Conflict("user_id: the session belongs to another user")

    def owner(self, session: StateKey) -> str | None:
        """The user that the session belongs to, if any has been named for it."""
        until, bound = self._kept.get(session, (0.0, ""))
        if until > time.time():
            return bound
        return self._store.bound(session.tenant_id, session.agent_id, session.session_id)
