"""Objects of the cold tier that are what the index says; others are left alone, and told of."""

import hashlib
from collections.abc import Callable

from agent_memory.domain.archive import ArchivedObject, ColdObjects
from agent_memory.domain.sweep import Part

Report = Callable[[str, ArchivedObject], None]
"""Tells an operator what is wrong with an object."""


class SoundObjects:
    """Reads objects as they were committed."""

    def __init__(self, objects: ColdObjects, report: Report) -> None:
        self._objects = objects
        self._report = report

    def content(self, row: ArchivedObject, part: Part) -> bytes | None:
        """What is stored; None when nothing is there or something else, which nobody may rewrite."""
        content = self._objects.get(row.key)
        if content is not None and hashlib.sha256(content).hexdigest() == row.sha256:
            return content
        self._report("an archived object is gone" if content is None else "an archived object is broken", row)
        part.counts["unreadable"] += 1
        return None
