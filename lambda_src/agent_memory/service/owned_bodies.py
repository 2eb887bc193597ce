"""Large values in S3 whose record does not own them any more."""

from agent_memory.domain.archive import ColdObjects


class OwnedBodies:
    """Removes what a change of a record left behind: each version of a record has a value of its own."""

    def __init__(self, objects: ColdObjects) -> None:
        self._objects = objects

    def settle(self, before: str | None, after: str | None, *, is_evicted: bool) -> int:
        """Remove the value of the version before, in all versions of its key: how many bytes are gone.

        An archived episode that is evicted keeps its value: now the line in its object owns it.

        Raises:
            StoreUnavailable: it may still be there.
        """
        if before is None or before == after or is_evicted:
            return 0
        return self._objects.remove(before)
