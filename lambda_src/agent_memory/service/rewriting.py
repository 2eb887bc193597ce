"""Objects of the cold tier that take the place of others, such that no reader misses an episode.

Readers ask the index for rows one after another, so they must not meet a moment at which an episode moves from one
row to another. Therefore the new row is committed first, and the old ones are dropped some time later, when whoever
may have asked before has ended; in between episodes stand twice, which readers expect. Old objects stay until the
sweep comes to what nobody knows of.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from agent_memory.domain.archive import ArchivedObject, ArchiveIndex, ColdObjects
from agent_memory.domain.archived_episode import content_of, line
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode
from agent_memory.domain.ports import UsageStore
from agent_memory.domain.sweep import Agent, Part
from agent_memory.errors import StoreUnavailable
from agent_memory.service.verified_objects import write_verified


@dataclass(frozen=True, slots=True)
class Known:
    """An agent's rows, and the epoch that was read before them."""

    epoch: int
    rows: Sequence[ArchivedObject]


def known_of(index: ArchiveIndex, agent: Agent) -> Known:
    """All rows of an agent, from the oldest on."""
    epoch = index.epoch(*agent)
    return Known(epoch, index.overlapping(*agent, None, None, newest_first=False))


@dataclass(frozen=True, slots=True)
class Replaced:
    """Rows that are superfluous now: `by` holds what lives of their episodes, unless nothing does."""

    rows: tuple[ArchivedObject, ...]
    by: ArchivedObject | None
    epoch: int


class Rewriter(Protocol):
    """What finds something to rewrite among an agent's objects."""

    def replace(self, agent: Agent, part: Part) -> Iterator[Replaced]:
        """Commit new objects in place of old ones, as long as the part may go on.

        Raises:
            StoreUnavailable: what was yielded before stands.
        """


class Rewriting:
    """The two parts of every replacement."""

    def __init__(self, index: ArchiveIndex, objects: ColdObjects, usage: UsageStore) -> None:
        self._index = index
        self._objects = objects
        self._usage = usage

    def begin(self, known: Known, rows: Sequence[ArchivedObject], kept: Sequence[Episode]) -> Replaced | None:
        """Commit an object of these episodes, given in their order, beside the rows whose place it takes.

        None when the agent was purged, and then nothing is left of it. It is written even where the same object is
        known: so it is younger than what the sweep removes.
        """
        if not kept:
            return Replaced(tuple(rows), None, known.epoch)
        content = content_of(line(episode) for episode in kept)
        row = describe(kept, content, known.epoch, max(each.archived_at for each in rows))
        write_verified(self._objects, row.key, content)
        if not self._index.swap([row], [], known.epoch):
            self._objects.remove(row.key)
            return None
        if row.key not in {each.key for each in known.rows}:
            self._count(row.tenant_id, row.size)
        return Replaced(tuple(each for each in rows if each.key != row.key), row, known.epoch)

    def finish(self, replaced: Replaced) -> bool:
        """Drop the old rows; False when the agent was purged, or another sweep was quicker with some of them."""
        if not replaced.rows:
            return True
        # The new row once more: whatever happened to it since, it stands when the old ones go.
        added = [replaced.by] if replaced.by else []
        is_done = self._index.swap(added, replaced.rows, replaced.epoch)
        if is_done:
            self._count(replaced.rows[0].tenant_id, -sum(row.size for row in replaced.rows))
        return is_done

    def _count(self, tenant_id: str, size: int) -> None:
        # What is not counted now is never counted: the work is done.
        with suppress(StoreUnavailable):
            self._usage.add(tenant_id, {"s3_bytes": size})
