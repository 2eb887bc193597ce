"""Jobs in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.jobs import Job
from agent_memory.domain.json_document import dumps, parse
from agent_memory.domain.purge import Removed
from tests.fakes.idempotency import InMemoryIdempotencyStore

JobId = tuple[str, str]
Change = Callable[[Job], Job]


class InMemoryJobStore:
    """`JobStore`; `outbox` are the ids of jobs that the queue is told of."""

    def __init__(self, idempotency: InMemoryIdempotencyStore) -> None:
        self._idempotency = idempotency
        self._jobs: dict[JobId, Job] = {}
        self._payloads: dict[JobId, str] = {}
        self._last: dict[tuple[str, str, str | None], int] = {}
        self._leases: dict[tuple[str, ...], tuple[str, datetime]] = {}
        self.outbox: dict[JobId, None] = {}

    def put(self, job: Job, payload: JsonObject, answer: IdempotencyRecord | None) -> None:
        with self._idempotency.lock:
            if _id(job) in self._jobs:
                return
            if answer is not None:
                self._idempotency.put(answer, job.created_at)
            if job.is_ordered:
                session = (job.tenant_id, job.agent_id, job.session_id)
                self._last[session] = self._last.get(session, 0) + 1
                job = replace(job, sequence=self._last[session])
            self._jobs[_id(job)] = job
            self._payloads[_id(job)] = dumps(payload)
            self.outbox[_id(job)] = None

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        return self._jobs.get((tenant_id, job_id))

    def payload(self, job: Job) -> JsonObject | None:
        kept = self._payloads.get(_id(job))
        read: JsonObject | None = None if kept is None else parse(kept)
        return read

    def line(self, tenant_id: str, agent_id: str, session_id: str, limit: int) -> Sequence[str]:
        waiting = [
            job
            for job in list(self._jobs.values())
            if (job.tenant_id, job.agent_id, job.session_id) == (tenant_id, agent_id, session_id)
            and job.is_ordered
            and not job.is_over
        ]
        return [job.job_id for job in sorted(waiting, key=lambda job: job.sequence or 0)][:limit]

    def lease(self, job: Job, holder: str, now: datetime, until: datetime) -> bool:
        with self._idempotency.lock:
            there = job.is_ordered and (job.tenant_id, job.agent_id, job.session_id) in self._last
            if not there and _id(job) not in self._jobs:
                return False
            held = self._leases.get(_held(job))
            if held and held[0] != holder and held[1] > now:
                return False
            self._leases[_held(job)] = (holder, until)
            return True

    def release(self, job: Job, holder: str) -> None:
        with self._idempotency.lock:
            if self._leases.get(_held(job), ("",))[0] == holder:
                del self._leases[_held(job)]

    def start(self, job: Job) -> Job | None:
        return self._change(job, lambda now: replace(now, status="running", attempts=now.attempts + 1))

    def give_back(self, job: Job) -> None:
        self._change(job, lambda now: replace(now, status="queued", attempts=now.attempts - 1), only="running")

    def amend(self, job: Job, payload: JsonObject) -> None:
        with self._idempotency.lock:
            current = self._jobs.get(_id(job))
            if current is not None and current.status == "running":
                self._payloads[_id(job)] = dumps(payload)

    def finish(self, job: Job, written: JsonObject, now: datetime) -> None:
        with self._idempotency.lock:
            current = self._jobs.get(_id(job))
            if current is None or current.status == "done":
                return
            self._jobs[_id(job)] = replace(current, status="done", written=written, error=None, finished_at=now)
            self._payloads.pop(_id(job), None)
            self.outbox.pop(_id(job), None)

    def fail(self, job: Job, error: JsonObject, now: datetime) -> None:
        if self._change(job, lambda found: replace(found, status="failed", error=error, finished_at=now)):
            self.outbox.pop(_id(job), None)

    def requeue(self, job: Job) -> bool:
        with self._idempotency.lock:
            current = self._jobs.get(_id(job))
            if current is None or current.status == "done":
                return False
            self._jobs[_id(job)] = replace(current, status="queued", attempts=0, error=None, finished_at=None)
            return True

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        with self._idempotency.lock:
            for session in [session for session in self._last if session[:2] == (tenant_id, agent_id)]:
                del self._last[session]
            for place, job in list(self._jobs.items()):
                if (job.tenant_id, job.agent_id) == (tenant_id, agent_id):
                    del self._jobs[place]
                    self._payloads.pop(place, None)
                    self.outbox.pop(place, None)
                    yield Removed({"other": 1})

    def _change(self, job: Job, change: Change, only: str | None = None) -> Job | None:
        with self._idempotency.lock:
            current = self._jobs.get(_id(job))
            if current is None or current.is_over or only not in (None, current.status):
                return None
            self._jobs[_id(job)] = change(current)
            return self._jobs[_id(job)]


def _id(job: Job) -> JobId:
    return job.tenant_id, job.job_id


def _held(job: Job) -> tuple[str, ...]:
    return (job.tenant_id, job.agent_id, job.session_id or "") if job.is_ordered else _id(job)
