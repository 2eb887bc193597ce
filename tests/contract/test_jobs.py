"""Jobs over stores in memory and over DynamoDB: kept once, in order, and held by one worker at a time."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.idempotency import AlreadyAnswered, Answer, begin
from agent_memory.domain.jobs import Job, Kind
from tests.contract.conftest import Stores
from tests.fakes.clock import Clock

LEASE = timedelta(seconds=60)
TICK = timedelta(microseconds=1)
NewJob = Callable[..., Job]


@pytest.fixture
def new(tenant: str, clock: Clock) -> NewJob:
    def make(job_id: str, session: str | None = "s", agent: str = "a", kind: Kind = "session_end") -> Job:
        return Job(tenant, job_id, kind, agent, session, "ana", clock())

    return make


def test_a_job_is_read_as_it_was_put(stores: Stores, new: NewJob) -> None:
    stores.jobs.put(new("j"), {"summary": "é", "n": 1.50}, None)

    job = stores.jobs.get(new("j").tenant_id, "j")

    assert job == replace(new("j"), sequence=1)
    assert stores.jobs.payload(job) == {"summary": "é", "n": 1.5}
    assert stores.jobs.get(new("j").tenant_id, "other") is None


@pytest.mark.parametrize("size", [10, 300_000, 2_400_000])
def test_a_payload_of_any_size_comes_back_until_the_job_is_done(
    stores: Stores, new: NewJob, clock: Clock, size: int
) -> None:
    payload = {"transcript": secrets.token_hex(size // 2)}  # nothing that compresses well
    stores.jobs.put(new("j"), payload, None)
    job = _get(stores, new("j"))

    assert stores.jobs.payload(job) == payload
    stores.jobs.fail(job, {"code": "X"}, clock())
    assert stores.jobs.payload(job) == payload, "so that it can be sent again"
    stores.jobs.requeue(job)
    stores.jobs.finish(job, {}, clock())
    assert stores.jobs.payload(job) is None


def test_a_step_that_is_done_leaves_less_to_do(stores: Stores, new: NewJob, clock: Clock) -> None:
    stores.jobs.put(new("j"), {"transcript": secrets.token_hex(1_000_000)}, None)
    job = _get(stores, new("j"))
    stores.jobs.start(job)

    stores.jobs.amend(job, {"summary": "short"})
    assert stores.jobs.payload(job) == {"summary": "short"}
    stores.jobs.finish(job, {}, clock())
    stores.jobs.amend(job, {"summary": "late"})
    assert stores.jobs.payload(job) is None


def test_a_job_that_is_put_twice_is_one_job(stores: Stores, new: NewJob) -> None:
    stores.jobs.put(new("j"), {"n": 1}, None)
    stores.jobs.put(new("j"), {"n": 1}, None)

    assert _line(stores, new("j")) == ["j"]
    assert _get(stores, new("j")).sequence == 1


def test_a_job_and_the_answer_to_its_request_are_kept_together(stores: Stores, new: NewJob, clock: Clock) -> None:
    asked = begin(new("j").tenant_id, "r", "key", b"", clock())
    stores.jobs.put(new("j"), {}, asked.answered(202, '{"job_id":"j"}'))

    with pytest.raises(AlreadyAnswered) as answered:
        stores.jobs.put(new("k"), {}, asked.answered(202, '{"job_id":"k"}'))

    assert answered.value.stored.answer == Answer(202, '{"job_id":"j"}')
    assert _line(stores, new("j")) == ["j"]
    assert stores.jobs.get(new("k").tenant_id, "k") is None


def test_jobs_of_a_session_stand_in_line_and_others_do_not(stores: Stores, new: NewJob, clock: Clock) -> None:
    for job_id in ("b", "a", "c"):
        stores.jobs.put(new(job_id), {}, None)
    stores.jobs.put(new("d", session="s#"), {}, None)
    stores.jobs.put(new("e", kind="embed"), {}, None)
    stores.jobs.put(new("f", agent="a2"), {}, None)

    assert _line(stores, new("x")) == ["b", "a", "c"]
    assert _line(stores, new("x", session="s#")) == ["d"]
    stores.jobs.finish(_get(stores, new("b")), {}, clock())
    stores.jobs.fail(_get(stores, new("a")), {"code": "X"}, clock())
    assert _line(stores, new("x")) == ["c"], "what failed holds nobody up"
    assert stores.jobs.requeue(_get(stores, new("a")))
    assert _line(stores, new("x")) == ["a", "c"], "what is sent again takes its old place"


def test_jobs_that_are_put_at_the_same_time_get_a_place_each(stores: Stores, new: NewJob) -> None:
    functions = [stores.another() for _ in range(4)]

    def put(number: int) -> None:
        functions[number % 4].jobs.put(new(f"j{number}"), {}, None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(12)))

    places = [_get(stores, new(f"j{number}")).sequence for number in range(12)]
    assert sorted(places) == list(range(1, 13))  # type: ignore[type-var]


@pytest.mark.parametrize("kind", ["session_end", "embed"])
def test_one_worker_holds_a_job_until_it_lets_go_or_its_lease_lapses(
    stores: Stores, new: NewJob, clock: Clock, kind: Kind
) -> None:
    stores.jobs.put(new("j", kind=kind), {}, None)
    job, now = _get(stores, new("j")), clock()

    assert stores.jobs.lease(job, "one", now, now + LEASE)
    assert stores.jobs.lease(job, "one", now, now + 2 * LEASE), "it may hold it longer"
    assert not stores.jobs.lease(job, "two", now + 2 * LEASE - TICK, now + 3 * LEASE)
    stores.jobs.release(job, "two")
    assert not stores.jobs.lease(job, "two", now, now + LEASE), "only its holder lets go"
    assert stores.jobs.lease(job, "two", now + 2 * LEASE, now + 3 * LEASE), "a worker that died holds it no longer"
    stores.jobs.release(job, "two")
    assert stores.jobs.lease(job, "three", now, now + LEASE)


def test_who_holds_a_session_holds_all_its_jobs(stores: Stores, new: NewJob, clock: Clock) -> None:
    for job_id, session in (("j", "s"), ("k", "s"), ("other", "s2")):
        stores.jobs.put(new(job_id, session=session), {}, None)
    until = clock() + LEASE

    assert stores.jobs.lease(_get(stores, new("j")), "one", clock(), until)
    assert not stores.jobs.lease(_get(stores, new("k")), "two", clock(), until)
    assert stores.jobs.lease(_get(stores, new("other")), "two", clock(), until)


def test_of_workers_that_come_at_the_same_time_one_holds_the_session(stores: Stores, new: NewJob, clock: Clock) -> None:
    stores.jobs.put(new("j"), {}, None)
    job = _get(stores, new("j"))
    functions = [stores.another() for _ in range(8)]

    def lease(number: int) -> bool:
        return functions[number].jobs.lease(job, f"w{number}", clock(), clock() + LEASE)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lease, range(8))) == 1


def test_attempts_are_counted_unless_they_are_given_back(stores: Stores, new: NewJob, clock: Clock) -> None:
    stores.jobs.put(new("j"), {}, None)
    job = _get(stores, new("j"))

    assert _told(stores.jobs.start(job)) == ("running", 1)
    assert _told(stores.jobs.start(job)) == ("running", 2), "its worker was killed"
    stores.jobs.give_back(job)
    assert _told(_get(stores, new("j"))) == ("queued", 1)
    stores.jobs.give_back(job)
    assert _told(_get(stores, new("j"))) == ("queued", 1)
    stores.jobs.fail(job, {"code": "CONFLICT"}, clock())
    assert stores.jobs.start(job) is None
    failed = _get(stores, new("j"))
    assert (failed.status, failed.error, failed.finished_at) == ("failed", {"code": "CONFLICT"}, clock())


def test_a_job_that_is_done_stays_as_it_was_done(stores: Stores, new: NewJob, clock: Clock) -> None:
    stores.jobs.put(new("j"), {}, None)
    job = _get(stores, new("j"))
    stores.jobs.start(job)
    stores.jobs.finish(job, {"facts": ["f"]}, clock())
    clock.turn(seconds=1)

    stores.jobs.finish(job, {"facts": []}, clock())
    stores.jobs.fail(job, {"code": "X"}, clock())
    stores.jobs.give_back(job)

    done = _get(stores, new("j"))
    assert (done.status, done.written, done.attempts, done.error) == ("done", {"facts": ["f"]}, 1, None)
    assert stores.jobs.start(job) is None
    assert not stores.jobs.requeue(job)


def test_what_changes_a_job_makes_none(stores: Stores, new: NewJob, clock: Clock) -> None:
    gone = replace(new("j"), sequence=1)

    assert stores.jobs.start(gone) is None
    assert not stores.jobs.lease(gone, "one", clock(), clock() + LEASE)
    assert not stores.jobs.requeue(gone)
    stores.jobs.finish(gone, {}, clock())
    stores.jobs.fail(gone, {}, clock())
    stores.jobs.give_back(gone)
    stores.jobs.release(gone, "one")

    assert stores.jobs.get(gone.tenant_id, "j") is None
    assert _line(stores, gone) == []


def test_jobs_of_other_tenants_and_agents_are_others(stores: Stores, new: NewJob, tenant: str) -> None:
    foreign = replace(new("j"), tenant_id=tenant + "-2")
    stores.jobs.put(new("j"), {"n": 1}, None)
    stores.jobs.put(foreign, {"n": 2}, None)

    assert stores.jobs.payload(_get(stores, new("j"))) == {"n": 1}
    assert stores.jobs.payload(_get(stores, foreign)) == {"n": 2}
    assert _get(stores, foreign).sequence == 1


def _get(stores: Stores, job: Job) -> Job:
    found = stores.jobs.get(job.tenant_id, job.job_id)
    assert found is not None
    return found


def _line(stores: Stores, job: Job) -> list[str]:
    return list(stores.jobs.line(job.tenant_id, job.agent_id, job.session_id or "", 100))


def _told(job: Job | None) -> Any:
    return job and (job.status, job.attempts)
