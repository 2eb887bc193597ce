"""Chunks carry ids as 64-bit hashes that can be met on purpose: the ids themselves decide what is found and merged."""

from typing import Any

import psycopg
import pytest

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.usage import Tally
from tests.contract.memories import CASHEWS, Memories
from tests.fakes.clock import Clock
from tests.fix_postgres import Aurora

# Each pair has one hash; the second was made by running PostgreSQL's hash backwards.
PAIRS: dict[str, tuple[Any, Any]] = {
    "namespace": ("default", "?T1]&opo8#dh"),
    "user_id": ("noor", "!x~/_w_)R6,O"),
    "session_id": ("monday", "+yDV^+m|tiY("),
}


@pytest.fixture
def memories(migrated: Aurora, tenant: str) -> Memories:
    store = SqlMemoryStore(migrated.as_app(), Tally())
    return Memories(store, lambda: store, tenant, Clock())


@pytest.mark.parametrize("field", PAIRS)
def test_the_two_ids_are_what_they_are_said_to_be(migrated: Aurora, field: str) -> None:
    with psycopg.connect(migrated.app_dsn()) as app:
        row = app.execute("SELECT memory.key_of(%s), memory.key_of(%s)", PAIRS[field]).fetchone()

    assert row
    assert row[0] == row[1]


@pytest.mark.parametrize("field", PAIRS)
def test_a_search_by_one_does_not_find_what_belongs_to_the_other(memories: Memories, field: str) -> None:
    one, other = PAIRS[field]
    memories.store(CASHEWS, **{field: one})

    assert memories.found(CASHEWS, **{field: other}) == []
    assert memories.found(CASHEWS, **{field: one}) == [CASHEWS]


@pytest.mark.parametrize("field", ["namespace", "user_id"])
@pytest.mark.parametrize("again", [CASHEWS, CASHEWS.replace("is", "really is")])
def test_a_text_of_one_is_not_merged_into_the_other_s(memories: Memories, field: str, again: str) -> None:
    one, other = PAIRS[field]
    first = memories.store(CASHEWS, **{field: one})
    second = memories.store(again, **{field: other})

    assert first.memory.id != second.memory.id
    assert memories.found(CASHEWS, **{field: other}) == [again]
    assert memories.found(CASHEWS, **{field: one}) == [CASHEWS]
