"""Jobs that were given up, or forgotten on their way to the queue, are sent again."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from agent_memory.domain.jobs import JobStore
from agent_memory.domain.queue import DeadLetters, JobMessage, JobQueue, Outbox
from agent_memory.errors import StoreUnavailable

# The queue has heard of a note within seconds, or within a day if it was away: a younger one is on its way.
_FORGOTTEN = timedelta(hours=1)


class RedriveJobs:
    """Goes over all dead letters once, and over the outbox."""

    def __init__(
        self,
        jobs: JobStore,
        dead: DeadLetters,
        queue: JobQueue,
        outbox: Outbox,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._dead = dead
        self._queue = queue
        self._outbox = outbox
        self._clock = clock

    def run(self) -> Mapping[str, int]:
        """Counts: jobs sent again, those that nobody needs any more, messages that are no jobs', and forgotten notes.

        Raises:
            StoreUnavailable: a store or a queue; what was sent is removed, and a repetition goes on.
        """
        counts = Counter(sent=0, needless=0, foreign=0, forgotten=0)
        while received := self._dead.receive():
            for each in received:
                if each.message is None:
                    counts["foreign"] += 1  # an event that a function gave up; it comes back after some minutes
                    continue
                counts["sent" if self._is_sent(each.message) else "needless"] += 1
                self._dead.remove(each.receipt)
        for message in self._outbox.notes(self._clock() - _FORGOTTEN):
            counts["forgotten"] += self._is_sent(message)
        return counts

    def _is_sent(self, message: JobMessage) -> bool:
        job = self._jobs.get(message.tenant_id, message.job_id)
        if job is None or job.status == "done":
            return False
        if job.status == "failed":
            self._jobs.requeue(job)
        if not all(self._queue.send([message])):
            raise StoreUnavailable("the queue did not take a message")
        return True
