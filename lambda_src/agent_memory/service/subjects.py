"""Subjects: a session belongs to the first user that is named for it."""

from agent_memory.domain.ports import SubjectStore
from agent_memory.domain.state import StateKey
from agent_memory.errors import Conflict

_KEPT = 1000


class Subjects:
    """Checks writes that name a user; a binding never changes, so a warm function asks once."""

    def __init__(self, store: SubjectStore) -> None:
        self._store = store
        self._kept: dict[StateKey, str] = {}

    def check(self, session: StateKey, user_id: str | None) -> None:
        """Bind the session to the user, or find that it is.

        Raises:
            Conflict: the session belongs to another user.
        """
        if user_id is None:
            return
        bound = self._kept.get(session)
        if bound is None:
            bound = self._store.bind(session.tenant_id, session.agent_id, session.session_id, user_id)
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[session] = bound
        if bound != user_id:
            raise Conflict("user_id: the session belongs to another user")
