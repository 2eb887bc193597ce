"""Whose session it is, as a warm function knows it."""

import time

import pytest

from agent_memory.domain.state import StateKey
from agent_memory.errors import Conflict
from agent_memory.service.subjects import Subjects
from tests.fakes.control import InMemorySubjectStore

SESSION = StateKey("acme", "planner", "s")


class CountingStore(InMemorySubjectStore):
    """Counts what it is asked."""

    asked = 0

    def bind(self, tenant_id: str, agent_id: str, session_id: str, user_id: str) -> str:
        self.asked += 1
        return super().bind(tenant_id, agent_id, session_id, user_id)


def test_a_warm_function_asks_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = CountingStore(), [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    subjects = Subjects(store)

    for elapsed, asked in ((0, 1), (299, 1), (2, 2), (1, 2)):
        now[0] += elapsed
        subjects.check(SESSION, "ana")
        assert store.asked == asked


def test_a_session_whose_agent_was_purged_is_free_again_within_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = InMemorySubjectStore(), [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    subjects = Subjects(store)
    subjects.check(SESSION, "ana")
    list(store.purge("acme", "planner"))

    now[0] += 301
    subjects.check(SESSION, "bob")

    with pytest.raises(Conflict):
        subjects.check(SESSION, "ana")


def test_a_write_that_names_nobody_asks_nobody() -> None:
    store = CountingStore()

    Subjects(store).check(SESSION, None)

    assert store.asked == 0


def test_whose_session_it_is_is_known_without_naming_anybody() -> None:
    store = InMemorySubjectStore()
    subjects = Subjects(store)

    assert subjects.owner(SESSION) is None
    subjects.check(SESSION, "ana")

    assert subjects.owner(SESSION) == "ana"
    assert Subjects(store).owner(SESSION) == "ana"
