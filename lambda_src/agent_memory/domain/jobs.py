"""Jobs: work that a request leaves behind, done by the function `ingest`.

A job is a row of its own. Beside it, in the same transaction, stands a note in the outbox, which holds ids only: the
memory table's stream hands it to the queue, so that whoever can write a record can also queue work. A message says no
more than which job; what there is to do, and whether it is done already, says the row.

The jobs of one session are done in the order in which they were put; other jobs have no order. Whoever does a job
holds a lease, of its session or of the job itself. What a job writes must be fit to be written twice, for a lease can
lapse under a worker that is slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import IdempotencyRecord

Kind = Literal["session_end", "embed"]
Status = Literal["queued", "running", "done", "failed"]

_ORDERED: frozenset[Kind] = frozenset({"session_end"})


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `sequence` is its place among the jobs of its session, which the store gives it.

    `payload` is what there is to do; it goes with the job's end, and is only read by `JobStore.payload`. `written` is
    what was done, in ids and counts; `error` why it failed, without content.
    """

    tenant_id: str
    job_id: str
    kind: Kind
    agent_id: str
    session_id: str | None
    user_id: str | None
    created_at: datetime
    sequence: int | None = None
    status: Status = "queued"
    attempts: int = 0
    finished_at: datetime | None = None
    written: JsonObject | None = None
    error: JsonObject | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether it waits for the earlier jobs of its session."""
        return self.kind in _ORDERED and self.session_id is not None

    @property
    def is_over(self) -> bool:
        """Whether nobody will do anything for it any more, unless it is sent again."""
        return self.status in ("done", "failed")

    def response(self) -> JsonObject:
        """`JobResponse`."""
        return {
            "job_id": self.job_id,
            "kind": self.kind,
            "status": self.status,
            "agent_id": self.agent_id,
            "session_id": self.session_id,
            "user_id": self.user_id,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "attempts": self.attempts,
            "written": self.written,
            "error": self.error,
        }


class JobStore(Protocol):
    """Jobs with their payloads, places and leases; every read sees every earlier write.

    Every method raises StoreUnavailable when the store does not answer. What says that it changes a job does nothing
    to one that is gone.
    """

    def put(self, job: Job, payload: JsonObject, answer: IdempotencyRecord | None) -> None:
        """Keep a new job and what tells the queue of it, both or neither; one that is there already stays as it is.

        Raises:
            AlreadyAnswered: the idempotency key has been used; nothing was written.
            PayloadTooLarge: the payload has no room; nothing was written.
        """

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        """Read a job, without its payload."""

    def payload(self, job: Job) -> JsonObject | None:
        """What there is to do; None when the job is over or gone."""

    def line(self, tenant_id: str, agent_id: str, session_id: str, limit: int) -> Sequence[str]:
        """Ids of the session's jobs that are not over, in order."""

    def lease(self, job: Job, holder: str, now: datetime, until: datetime) -> bool:
        """Hold the job's session, or the job where it has no order, or hold it longer; False while another one does.

        False, too, when there is nothing to hold: it was purged.
        """

    def release(self, job: Job, holder: str) -> None:
        """Let the next one hold it."""

    def start(self, job: Job) -> Job | None:
        """Count an attempt; the job as it is now, or None when it is over or gone."""

    def give_back(self, job: Job) -> None:
        """Queue a started job again, without counting the attempt."""

    def amend(self, job: Job, payload: JsonObject) -> None:
        """Put a smaller payload in the place of a started job's: a step of it is done, and needs not be done again."""

    def finish(self, job: Job, written: JsonObject, now: datetime) -> None:
        """Say what was done, and remove the payload and the note in the outbox."""

    def fail(self, job: Job, error: JsonObject, now: datetime) -> None:
        """Say that it will not be done; the payload stays for as long as the row, so that it can be sent again."""

    def requeue(self, job: Job) -> bool:
        """Let a failed job be done after all, in its old place; False when it did not fail, or is gone."""


class JobWork(Protocol):
    """What `ingest` does for jobs of one kind."""

    def prepare(self, jobs: Sequence[tuple[Job, JsonObject]]) -> None:
        """Make what several jobs of a batch need at the same time, such as vectors, ready to be had; may do nothing."""

    def run(self, job: Job, payload: JsonObject) -> JsonObject:
        """Do it: what was written, in ids and counts. Whatever it does may be done again, or at the same time.

        Raises:
            StoreUnavailable, InProgress, RateLimited: it is tried again for as long as its message comes back; such an
                attempt is not counted.
            InvalidRequest, Conflict, NotFound, PayloadTooLarge: the job has failed.
            Exception: it is tried again, a few times; then the job has failed. Its session goes on without it.
        """
