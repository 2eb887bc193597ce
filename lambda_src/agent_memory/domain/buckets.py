"""Buckets: how many partitions one agent's episodes are spread over.

One DynamoDB partition takes 1,000 write units a second (a service quota). A session's
episodes share a bucket; reads of a whole agent merge all of its buckets.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

# Longer than a warm function keeps its copy (30 s), so that every reader knows a bucket before it is written.
GROWTH_DELAY = timedelta(seconds=60)
MAX_BUCKETS = 16


@dataclass(frozen=True, slots=True)
class Growth:
    """From `effective_at` on, new episodes go to one of `count` buckets."""

    count: int
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Buckets:
    """An agent's buckets: one until told otherwise, and never fewer again."""

    growths: tuple[Growth, ...] = ()

    def for_write(self, session_id: str, created_at: datetime) -> int:
        """The bucket of an episode, the same whenever it is asked for."""
        count = 1
        for growth in self.growths:
            if growth.effective_at <= created_at:
                count = growth.count
        return _hash(session_id) % count

    def for_session(self, session_id: str) -> list[int]:
        """Every bucket that may hold the session: one for each count there has been."""
        counts = [1, *(growth.count for growth in self.growths)]
        return sorted({_hash(session_id) % count for count in counts})

    def all(self) -> list[int]:
        """Every bucket of the agent, those about to come into use included."""
        return list(range(self.growths[-1].count if self.growths else 1))

    def grown(self, count: int, now: datetime) -> "Buckets":
        """Plan more buckets.

        Raises:
            ValueError: not more than before, or over the maximum.
        """
        if not len(self.all()) < count <= MAX_BUCKETS:
            msg = f"buckets only grow: the agent has {len(self.all())}, the most is {MAX_BUCKETS}"
            raise ValueError(msg)
        return Buckets((*self.growths, Growth(count, now + GROWTH_DELAY)))


def _hash(session_id: str) -> int:
    return int.from_bytes(hashlib.sha256(session_id.encode()).digest()[:8], "big")
