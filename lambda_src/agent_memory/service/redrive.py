"""Records that failed are handed to the archiver again, once what was wrong with them or with it is mended."""

from collections import Counter
from collections.abc import Mapping

from agent_memory.domain.failed_records import FailedRecords, Function, event_in


class Redrive:
    """Goes over all kept batches once."""

    def __init__(self, kept: FailedRecords, archiver: Function) -> None:
        self._kept = kept
        self._archiver = archiver

    def run(self) -> Mapping[str, int]:
        """Counts: batches and records that were `taken`, batches that stay because some failed or are `unreadable`.

        Raises:
            StoreUnavailable: a store or the archiver; what was taken is removed, and a repetition goes on.
        """
        counts = Counter(batches_taken=0, records_taken=0, batches_failed=0, batches_unreadable=0)
        for name in self._kept.names():
            content = self._kept.get(name)
            if content is None:
                continue
            event = event_in(content)
            if event is None:
                counts["batches_unreadable"] += 1
            elif self._archiver.invoke({"Records": event["Records"]}).get("batchItemFailures") == []:
                self._kept.remove(name)
                counts["batches_taken"] += 1
                counts["records_taken"] += len(event["Records"])
            else:
                # All of it is sent again another time: what the archiver has taken it takes again without harm.
                counts["batches_failed"] += 1
        return counts
