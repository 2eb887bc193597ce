"""Large values in S3 whose record does not own them any more."""

from agent_memory.domain.archive import ColdObjects
from agent_memory.domain.bodies import name_of
from agent_memory.domain.sweep import HotScan


class OwnedBodies:
    """Removes what a change of a record left behind: each version of a record has a value of its own."""

    def __init__(self, objects: ColdObjects, records: HotScan) -> None:
        self._objects = objects
        self._records = records

    def settle(self, before: str | None, after: str | None, *, is_evicted: bool) -> int:
        """Remove the value of the version before, in all versions of its key: how many bytes are gone.

        An archived episode that is evicted keeps its value: now the line in its object owns it. So does a record that
        points there again: a batch that is sent anew after a purge names its values as before, and the stream may
        tell of the purge later than that.

        Raises:
            StoreUnavailable: it may still be there.
        """
        if before is None or before == after or is_evicted:
            return 0
        name = name_of(before)
        if name is not None and before in self._records.bodies_of([name.owner]):
            return 0
        return self._objects.remove(before)
