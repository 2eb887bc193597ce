"""Doing jobs: those of one session in order and by one worker at a time, whatever comes twice, late or not at all.

A message says that there is work. Who gets it holds the session, does what stands in line before its own job and
behind it, and looks once more after letting go: whoever came meanwhile was turned away. A lease lasts for as long as
its worker can live, so one that was killed keeps nobody waiting for longer. What is done twice is done once, for a
job's work is fit for that; what cannot be done fails, and the session goes on without it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.jobs import Job, JobStore, JobWork, Kind
from agent_memory.errors import (
    AgentMemoryError,
    Conflict,
    InProgress,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    StoreUnavailable,
)

# What a killed function has asked of a store may still be done so much later.
_AFTERLIFE = timedelta(seconds=10)
_LINE = 100
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 8.0

_PASSES = (StoreUnavailable, InProgress, RateLimited)
_CODES: Mapping[type[AgentMemoryError], str] = {
    InvalidRequest: "VALIDATION_ERROR",
    NotFound: "NOT_FOUND",
    Conflict: "CONFLICT",
    PayloadTooLarge: "PAYLOAD_TOO_LARGE",
}


class Delivery(NamedTuple):
    """A message about a job; `is_last` when the queue gives it up unless it is done now."""

    job_id: str
    is_last: bool = False


class Pace(NamedTuple):
    """How often a job is begun before it has failed, and how long it may take: with less time left, none is begun."""

    attempts: int
    job: timedelta


@dataclass
class _Shift:
    """One worker's time with one message."""

    delivery: Delivery
    ends_at: datetime
    holder: str
    seen: set[str] = field(default_factory=set)


class DoingJobs:
    """Does jobs of one tenant at a time. `crash` hears of errors that nobody has thought of."""

    def __init__(
        self,
        store: JobStore,
        works: Mapping[Kind, JobWork],
        pace: Pace,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        crash: Callable[[Exception], None],
    ) -> None:
        self._store = store
        self._works = works
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._crash = crash

    def take(self, tenant_id: str, deliveries: Sequence[Delivery], ends_at: datetime) -> list[bool]:
        """Do what the messages ask for, within a function's life; False for each that is to be delivered again."""
        with self._heard():
            self._prepare(tenant_id, deliveries)
        return [self._taken(tenant_id, _Shift(each, ends_at, uuid4().hex)) for each in deliveries]

    def _prepare(self, tenant_id: str, deliveries: Sequence[Delivery]) -> None:
        if len(deliveries) == 1:
            return
        found = [self._store.get(tenant_id, each.job_id) for each in deliveries]
        jobs = {job.job_id: job for job in found if job is not None and not job.is_over}.values()
        waiting = [(job, payload) for job in jobs if (payload := self._store.payload(job)) is not None]
        for kind, work in self._works.items():
            with self._heard():
                work.prepare([(job, payload) for job, payload in waiting if job.kind == kind])

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Whatever goes wrong before any job has begun, each job will meet by itself, and then it counts."""
        try:
            yield
        except AgentMemoryError:
            pass
        except Exception as exc:  # noqa: BLE001 - one job's bug is no reason to do none
            self._crash(exc)

    def _taken(self, tenant_id: str, shift: _Shift) -> bool:
        try:
            return self._settled(tenant_id, shift)
        except AgentMemoryError:
            return False
        except Exception as exc:  # noqa: BLE001 - the other messages of the batch are not to blame
            self._crash(exc)
            return False

    def _settled(self, tenant_id: str, shift: _Shift) -> bool:
        job = self._store.get(tenant_id, shift.delivery.job_id)
        if job is None or job.is_over:  # a failed one goes to the dead letters
            return job is None or job.status == "done"
        while self._store.lease(job, shift.holder, self._clock(), shift.ends_at + _AFTERLIFE):
            try:
                is_line_empty = self._work_off(job, shift)
            except Exception:
                self._let_go(job, shift)
                raise
            self._let_go(job, shift)
            if not is_line_empty or not job.is_ordered or not any(self._line(job, shift)):
                break
        job = self._store.get(tenant_id, shift.delivery.job_id)
        return job is None or job.status == "done"

    def _let_go(self, job: Job, shift: _Shift) -> None:
        with suppress(StoreUnavailable):  # then it lapses
            self._store.release(job, shift.holder)

    def _work_off(self, own: Job, shift: _Shift) -> bool:
        """Do what stands in line; False when something there has to be tried again later."""
        ids: Iterator[str] = self._line(own, shift) if own.is_ordered else iter([own.job_id])
        for job_id in ids:
            job = self._store.get(own.tenant_id, job_id)
            if job is None or job.is_over:
                shift.seen.add(job_id)
            elif not self._is_time_for_one(shift):
                return False  # with the last delivery, too: what nobody began has not failed
            elif self._is_settled(job, shift):
                shift.seen.add(job_id)
            elif job_id == own.job_id and shift.delivery.is_last:
                self._fail(job, "UNAVAILABLE", "what it needs could not be had for too long")
                shift.seen.add(job_id)
            else:
                return False
        return True

    def _line(self, job: Job, shift: _Shift) -> Iterator[str]:
        """What stands in line and has not been seen to, also what is put there meanwhile."""
        while waiting := [
            each
            for each in self._store.line(job.tenant_id, job.agent_id, job.session_id or "", _LINE)
            if each not in shift.seen
        ]:
            yield waiting[0]

    def _is_time_for_one(self, shift: _Shift, wait_s: float = 0.0) -> bool:
        return self._clock() + timedelta(seconds=wait_s) + self._pace.job <= shift.ends_at

    def _is_settled(self, job: Job, shift: _Shift) -> bool:
        """Do a job, or find that it never will be; False when it is to be tried again."""
        started = self._store.start(job)
        if started is None:
            return True
        if started.attempts > self._pace.attempts:
            self._fail(started, "GAVE_UP", f"{self._pace.attempts} attempts ended before it was done")
            return True
        payload = self._store.payload(started)
        if payload is None:
            self._fail(started, "PAYLOAD_GONE", "what there was to do is gone")
            return True
        return self._is_done(started, payload, shift)

    def _is_done(self, job: Job, payload: JsonObject, shift: _Shift) -> bool:
        try:
            written = self._run(job, payload, shift)
        except _PASSES:
            self._store.give_back(job)
            return False
        except tuple(_CODES) as exc:
            code = next(_CODES[kind] for kind in type(exc).__mro__ if kind in _CODES)
            self._fail(job, code, exc.message)
        except Exception as exc:  # noqa: BLE001 - a bug met by one job is no reason to do no other
            self._crash(exc)
            if job.attempts < self._pace.attempts:
                return False
            self._fail(job, "INTERNAL_ERROR", "an unexpected error")
        else:
            self._store.finish(job, written, self._clock())
        return True

    def _run(self, job: Job, payload: JsonObject, shift: _Shift) -> JsonObject:
        """A store that is only resuming is waited for, since the queue would bring the message back much later."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return self._works[job.kind].run(job, payload)
            except StoreUnavailable:
                if not self._is_time_for_one(shift, wait_s):
                    raise
                self._sleep(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _fail(self, job: Job, code: str, message: str) -> None:
        self._store.fail(job, {"code": code, "message": message}, self._clock())
