"""Small objects of an agent's month become few."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchivedObject, ArchiveIndex
from agent_memory.domain.archived_episode import episodes_in
from agent_memory.domain.compaction import merged, small_ones
from agent_memory.domain.sweep import Agent, Part
from agent_memory.service.rewriting import Known, Replaced, Rewriting, known_of
from agent_memory.service.sound_objects import SoundObjects

# Held at once as they are stored: some 12 MB.
_READ_AT_ONCE = 100


class Compaction:
    """`Rewriter` of small objects; `filling` is how long after its end a month still fills up."""

    def __init__(
        self,
        index: ArchiveIndex,
        objects: SoundObjects,
        rewriting: Rewriting,
        clock: Callable[[], datetime],
        filling: timedelta,
    ) -> None:
        self._index = index
        self._objects = objects
        self._rewriting = rewriting
        self._clock = clock
        self._filling = filling

    def replace(self, agent: Agent, part: Part) -> Iterator[Replaced]:
        """See `Rewriter.replace`."""
        known = known_of(self._index, agent)
        for month in small_ones(known.rows, self._clock(), self._filling):
            for start in range(0, len(month), _READ_AT_ONCE):
                if not part.may_go_on():
                    return
                yield from self._merge(known, month[start : start + _READ_AT_ONCE], part)

    def _merge(self, known: Known, rows: Sequence[ArchivedObject], part: Part) -> Iterator[Replaced]:
        read = [(row, content) for row in rows if (content := self._objects.content(row, part)) is not None]
        for group in merged([len(gzip.decompress(content)) for _, content in read]):
            if not part.may_go_on():
                return
            held = {episode.id: episode for _, content in read[group] for episode in episodes_in(content)}
            kept = sorted(held.values(), key=lambda episode: episode.position)
            if replaced := self._rewriting.begin(known, [row for row, _ in read[group]], kept):
                part.counts["merged"] += len(replaced.rows)
                yield replaced
