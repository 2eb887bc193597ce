"""Vectors are counted as they come and go, and a limit of them is kept: in memory and by each connection mode."""

import pytest

from agent_memory.domain.usage import Quota, Work
from agent_memory.errors import RateLimited
from tests.contract.memories import CASHEWS, CRANE, PIANO, Memories

LONG = " ".join(f"Sentence number {number} tells of something else altogether." for number in range(60))


def test_a_text_counts_its_pieces_until_it_is_deleted(memories: Memories) -> None:
    brief = memories.store(PIANO)
    assert memories.tally.vectors == 1
    whole = memories.store(LONG)
    pieces = memories.tally.vectors - 1
    assert pieces > 5

    memories.delete(brief.memory.id)
    assert memories.tally.vectors == pieces
    memories.delete(whole.memory.id)
    assert memories.tally.vectors == 0


def test_what_merges_counts_once(memories: Memories) -> None:
    for text in (PIANO, PIANO, PIANO.replace("goes", "really goes"), LONG, LONG):
        memories.store(text)
    merged = memories.tally.vectors

    memories.store_.purge(memories.tenant, "a")

    assert memories.tally.vectors == 0
    memories.store(LONG)
    assert memories.tally.vectors == merged - 1


def test_a_batch_counts_what_it_keeps_and_a_repetition_nothing(memories: Memories) -> None:
    items = [{"agent_id": "a", "content": text} for text in (PIANO, CASHEWS, PIANO)]
    memories.store_all(items, memories.key("k"))
    assert memories.tally.vectors == 2

    with pytest.raises(Exception, match="used"):
        memories.store_all(items, memories.key("k"))

    assert memories.tally.vectors == 2


def test_a_purge_of_one_agent_leaves_the_others_vectors_counted(memories: Memories) -> None:
    memories.store(PIANO)
    memories.store(PIANO, agent_id="b")

    while memories.store_.purge(memories.tenant, "a"):
        pass

    assert memories.tally.vectors == 1


def test_what_has_expired_is_counted_until_it_is_removed(memories: Memories) -> None:
    memories.store(PIANO, ttl_hours=1)
    memories.clock.turn(hours=2)
    assert memories.tally.vectors == 1

    memories.store(CASHEWS)

    assert memories.tally.vectors == 1
    assert memories.store_.remove_expired(memories.tenant, memories.clock()) == 0


class Room(Quota):
    """Allows so many vectors and any number of the rest."""

    def __init__(self, vectors: int) -> None:
        self.vectors = vectors

    def reserve(self, work: Work, amount: int) -> int:
        if work == "vectors":
            if amount > self.vectors:
                raise RateLimited("vectors", self.vectors, 1)
            self.vectors -= amount
        return amount


def test_without_room_nothing_is_embedded_or_stored(memories: Memories) -> None:
    memories.store(PIANO)
    memories.tally.begin(Room(3), memories.clock())
    embedded = memories.embedder.calls

    with pytest.raises(RateLimited):
        memories.store(LONG)

    assert memories.embedder.calls == embedded
    assert memories.walked() == [[PIANO]]


def test_where_there_is_no_room_what_has_expired_makes_some(memories: Memories) -> None:
    for text in (PIANO, CASHEWS):
        memories.store(text, ttl_hours=1)
    memories.clock.turn(hours=2)
    memories.tally.taken()
    memories.tally.begin(Room(0), memories.clock())

    memories.store(CRANE)

    assert memories.walked() == [[CRANE]]
    assert memories.tally.vectors == -1
    with pytest.raises(RateLimited):
        memories.store_all([{"agent_id": "a", "content": f"note number {number}"} for number in range(3)])
