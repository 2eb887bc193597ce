"""What a search by vector finds of what is nearest."""

from datetime import UTC, datetime

from agent_memory.domain.embedding import space
from agent_memory.domain.semantic_store import MemorySearch
from tests.contract.memories import CASHEWS, PIANO, Memories


def searched(memories: Memories, agent: str) -> MemorySearch:
    (vector,) = memories.embedder.embed([PIANO])
    return MemorySearch(vector, space(memories.embedder), 10, datetime.now(UTC), mode="vector", agent_id=agent)


def test_of_a_few_memories_all_are_found(memories: Memories) -> None:
    memories.store(PIANO)
    memories.store(CASHEWS)

    assert memories.store_.recall(memories.tenant, searched(memories, "a")) == 1.0


def test_where_there_is_nothing_there_is_no_recall(memories: Memories) -> None:
    memories.store(PIANO)

    assert memories.store_.recall(memories.tenant, searched(memories, "nobody")) is None
