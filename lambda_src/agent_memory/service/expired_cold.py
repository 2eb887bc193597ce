"""Records of the cold tier that have lapsed leave their objects."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchivedObject, ArchiveIndex
from agent_memory.domain.archived_episode import episodes_in
from agent_memory.domain.lapse import has_lapsed, is_due
from agent_memory.domain.sweep import Agent, Part
from agent_memory.service.rewriting import Known, Replaced, Rewriting, known_of
from agent_memory.service.sound_objects import SoundObjects

Retention = Callable[[str], timedelta | None]
"""How long a tenant keeps records; None is for ever."""


class ExpiredCold:
    """`Rewriter` of objects that hold what has lapsed.

    Large values of such records have no owner then, and go with others of that kind.
    """

    def __init__(
        self,
        index: ArchiveIndex,
        objects: SoundObjects,
        rewriting: Rewriting,
        clock: Callable[[], datetime],
        retention: Retention,
    ) -> None:
        self._index = index
        self._objects = objects
        self._rewriting = rewriting
        self._clock = clock
        self._retention = retention

    def replace(self, agent: Agent, part: Part) -> Iterator[Replaced]:
        """See `Rewriter.replace`."""
        retention = self._retention(agent.tenant_id)
        known = known_of(self._index, agent)
        for row in known.rows:
            if not part.may_go_on():
                return
            if is_due(row, retention, self._clock()) and (replaced := self._rewrite(known, row, retention, part)):
                yield replaced

    def _rewrite(self, known: Known, row: ArchivedObject, retention: timedelta | None, part: Part) -> Replaced | None:
        content = self._objects.content(row, part)
        if content is None:
            return None
        episodes = list(episodes_in(content))
        kept = [episode for episode in episodes if not has_lapsed(episode, retention, self._clock())]
        if len(kept) == len(episodes):
            return None
        replaced = self._rewriting.begin(known, [row], kept)
        part.counts["expired"] += len(episodes) - len(kept) if replaced else 0
        return replaced
