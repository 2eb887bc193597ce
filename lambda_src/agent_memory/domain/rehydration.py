"""Bringing archived episodes back into the hot tier, where reading them again and again costs less."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent_memory.domain.episode import Episode


@dataclass(frozen=True, slots=True)
class Rehydrated:
    """What became of a range: how many live episodes the archive has of it, and what was written for them."""

    found: int
    written: int
    bytes: int


class RehydratedEpisodes(Protocol):
    """The hot tier as a place that archived episodes come back to. Raises StoreUnavailable when it does not answer."""

    def bring_back(
        self, tenant_id: str, agent_id: str, episodes: Sequence[tuple[Episode, datetime]], epoch: int
    ) -> tuple[int, int]:
        """Write an agent's archived episodes, each to be evicted at its time: how many were written, and their bytes.

        One that is there already is not written, and stays until the later of two times.

        Raises:
            Conflict: the agent was purged since the epoch; nothing is brought back any more.
        """
