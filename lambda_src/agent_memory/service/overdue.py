"""Episodes that have waited for the archive too long: the events that should have moved them were lost, or too few."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchiveIndex, HotEpisodes, Key
from agent_memory.domain.sweep import Agent, HotScan, Part, Progress, Unarchived
from agent_memory.service.failures import Failures

Flush = Callable[[str, str, Sequence[Key]], int]
"""Archives these episodes of an agent, and what else of it waits: how many."""

# A quiet agent's episodes wait for the sweep, which comes once a day. Those that two sweeps left behind do not move.
_LEFT_BEHIND_AFTER = timedelta(days=2)
# Records are held in memory whole.
_AT_ONCE = 250
# Pages on which there was nothing to do, before the place is kept again.
_PAGES = 20


class Overdue:
    """`SweepStep` that archives what waits longer than `archive_within`.

    It counts as `unarchived` what should not be: episodes that the archiver never noted, so that nobody but the sweep
    will archive them, and those that the sweeps of two days could not move.
    """

    def __init__(
        self,
        scan: HotScan,
        hot: HotEpisodes,
        index: ArchiveIndex,
        flush: Flush,
        failures: Failures,
        clock: Callable[[], datetime],
        archive_within: timedelta,
    ) -> None:
        self._scan = scan
        self._hot = hot
        self._index = index
        self._flush = flush
        self._failures = failures
        self._clock = clock
        self._archive_within = archive_within

    def advance(self, after: str | None, part: Part) -> Progress:
        """See `SweepStep.advance`; for the next page with something to do, or some without."""
        for _ in range(_PAGES):
            found, following = self._scan.unarchived(self._clock() - self._archive_within, after)
            for agent, waiting in _by_agent(found).items():
                if not part.may_go_on():
                    return Progress(after, is_over=False)
                with self._failures.spared(part):
                    self._archive(agent, waiting, part)
            if following is None:
                return Progress(None, is_over=True)
            after = following
            if found or not part.may_go_on():
                break
        return Progress(after, is_over=False)

    def _archive(self, agent: Agent, waiting: Sequence[Unarchived], part: Part) -> None:
        part.counts["unarchived"] += self._forgotten(agent, waiting)
        for start in range(0, len(waiting), _AT_ONCE):
            keys = [each.key for each in waiting[start : start + _AT_ONCE]]
            part.counts["archived"] += self._flush(*agent, keys)

    def _forgotten(self, agent: Agent, waiting: Sequence[Unarchived]) -> int:
        # Notes before records: a note goes after the record has been marked, so what is unmarked has still to be noted.
        noted = {key for pending in self._index.pending(*agent) for key in pending.keys}
        left_behind = self._clock() - self._archive_within - _LEFT_BEHIND_AFTER
        suspects = [each.key for each in waiting if each.key not in noted or each.created_at <= left_behind]
        batches = (suspects[start : start + _AT_ONCE] for start in range(0, len(suspects), _AT_ONCE))
        return sum(len(self._hot.read(*agent, batch)) for batch in batches)


def _by_agent(found: Sequence[Unarchived]) -> dict[Agent, list[Unarchived]]:
    waiting: dict[Agent, list[Unarchived]] = defaultdict(list)
    for each in found:
        waiting[Agent(each.tenant_id, each.agent_id)].append(each)
    return waiting
