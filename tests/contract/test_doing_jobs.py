"""Doing jobs over stores in memory and over DynamoDB: in order, one worker at a time, whatever comes twice or late."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.jobs import Job, JobStore, Kind
from agent_memory.errors import Conflict, RateLimited, StoreUnavailable
from agent_memory.service.doing_jobs import Delivery, DoingJobs, Pace
from tests.contract.conftest import Stores
from tests.contract.interrupted import Killed, Points, _Port, die
from tests.fakes.clock import Clock

LIFE = timedelta(seconds=60)
ATTEMPTS = 3


class Ledger:
    """`JobWork` that keeps what it did by job, as a database would: again is the same as once."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.calls: Counter[str] = Counter()
        self.prepared: list[list[str]] = []
        self.unprepared: Exception | None = None
        self.fails: dict[str, list[Exception]] = {}
        self.meanwhile: Callable[[str], None] = lambda _: None

    def prepare(self, jobs: Sequence[tuple[Job, JsonObject]]) -> None:
        if self.unprepared:
            raise self.unprepared
        if jobs:
            self.prepared.append([job.job_id for job, _ in jobs])

    def run(self, job: Job, payload: JsonObject) -> JsonObject:
        assert payload == {"job": job.job_id}
        self.calls[job.job_id] += 1
        self.meanwhile(job.job_id)
        if self.fails.get(job.job_id):
            raise self.fails[job.job_id].pop(0)
        if job.job_id not in self.order:
            self.order.append(job.job_id)
        return {"did": job.job_id}


class Scene:
    """Jobs, and workers that come when they are told."""

    def __init__(self, stores: Stores, tenant: str, clock: Clock) -> None:
        self.stores, self.tenant, self.clock = stores, tenant, clock
        self.ledger = Ledger()
        self.crashes: list[Exception] = []

    def put(self, *job_ids: str, session: str = "s", kind: Kind = "session_end") -> None:
        for job_id in job_ids:
            job = Job(self.tenant, job_id, kind, "a", session, "ana", self.clock())
            self.stores.jobs.put(job, {"job": job_id}, None)

    def deliver(self, *job_ids: str, is_last: bool = False, store: Any = None) -> list[bool]:
        deliveries = [Delivery(job_id, is_last) for job_id in job_ids]
        return self.worker(store).take(self.tenant, deliveries, self.clock() + LIFE)

    def worker(self, store: JobStore | None = None) -> DoingJobs:
        works = {"session_end": self.ledger, "embed": self.ledger}
        sleep = lambda seconds: self.clock.turn(seconds=seconds)  # noqa: E731
        crash, pace = self.crashes.append, Pace(ATTEMPTS, timedelta(seconds=25))
        return DoingJobs(store or self.stores.jobs, works, pace, self.clock, sleep, crash)  # type: ignore[arg-type]

    def job(self, job_id: str) -> Job:
        found = self.stores.jobs.get(self.tenant, job_id)
        assert found is not None
        return found

    def statuses(self, *job_ids: str) -> list[str]:
        return [self.job(job_id).status for job_id in job_ids]


@pytest.fixture
def scene(stores: Stores, tenant: str, clock: Clock) -> Scene:
    return Scene(stores, tenant, clock)


def test_a_job_is_done_and_says_what_was_written(scene: Scene) -> None:
    scene.put("j")

    assert scene.deliver("j") == [True]

    job = scene.job("j")
    assert (job.status, job.written, job.attempts) == ("done", {"did": "j"}, 1)
    assert scene.stores.jobs.payload(job) is None


def test_a_message_that_comes_twice_does_nothing_twice(scene: Scene) -> None:
    scene.put("j")

    assert scene.deliver("j", "j") == [True, True]
    assert scene.deliver("j") == [True]
    assert scene.ledger.calls == {"j": 1}


def test_a_message_about_nothing_is_done(scene: Scene) -> None:
    assert scene.deliver("purged") == [True]


def test_jobs_of_a_session_are_done_in_order_however_their_messages_come(scene: Scene) -> None:
    scene.put("a", "b", "c")
    scene.put("x", session="other")

    assert scene.deliver("c") == [True]
    assert scene.ledger.order == ["a", "b", "c"]
    assert scene.deliver("x", "b", "a") == [True, True, True]
    assert scene.ledger.calls == {"a": 1, "b": 1, "c": 1, "x": 1}


def test_a_job_that_is_put_while_another_one_is_done_is_done_by_the_same_worker(scene: Scene) -> None:
    scene.put("a")

    def meanwhile(job_id: str) -> None:
        if job_id == "a":
            scene.put("b")
            assert scene.deliver("b") == [False], "its session is held"

    scene.ledger.meanwhile = meanwhile

    assert scene.deliver("a") == [True]
    assert scene.statuses("a", "b") == ["done", "done"]


def test_nobody_is_turned_away_for_nothing(scene: Scene) -> None:
    """Between the last look at the line and letting go, another worker is turned away: the first looks again."""
    scene.put("a")
    jobs = scene.stores.jobs
    turned_away: list[list[bool]] = []

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(jobs, name)

        def release(self, job: Job, holder: str) -> None:
            if not turned_away:
                scene.put("b")
                turned_away.append(scene.deliver("b"))
            jobs.release(job, holder)

    assert scene.deliver("a", store=Late()) == [True]
    assert turned_away == [[False]]
    assert scene.statuses("a", "b") == ["done", "done"]


def test_a_store_that_is_only_resuming_is_waited_for(scene: Scene) -> None:
    scene.put("a")
    scene.ledger.fails["a"] = [StoreUnavailable("resuming")] * 3

    assert scene.deliver("a") == [True]
    assert scene.ledger.calls == {"a": 4}


@pytest.mark.parametrize("error", [StoreUnavailable("away"), RateLimited("vectors", 1, 60)])
def test_what_passes_is_tried_again_and_counts_as_no_attempt(scene: Scene, error: Exception) -> None:
    scene.put("a", "b")
    scene.ledger.fails["a"] = [error] * 200

    for _ in range(2 * ATTEMPTS):
        assert scene.deliver("b") == [False]
    assert scene.job("a").attempts == 0
    assert scene.statuses("a", "b") == ["queued", "queued"]
    assert scene.ledger.order == [], "the later one waits"
    scene.ledger.fails.clear()
    assert scene.deliver("a") == [True]
    assert scene.ledger.order == ["a", "b"]


def test_what_could_not_be_had_for_too_long_fails_with_its_last_message(scene: Scene) -> None:
    scene.put("a", "b")
    scene.ledger.fails["a"] = [StoreUnavailable("away")] * 200

    assert scene.deliver("b", is_last=True) == [False], "not its own fault, but its message goes"
    assert scene.statuses("a", "b") == ["queued", "queued"]
    assert scene.deliver("a", is_last=True) == [False]
    assert scene.statuses("a", "b") == ["failed", "done"]
    assert scene.job("a").error == {"code": "UNAVAILABLE", "message": "what it needs could not be had for too long"}


def test_a_refused_job_fails_with_a_reason_and_holds_nobody_up(scene: Scene) -> None:
    scene.put("a", "b")
    scene.ledger.fails["a"] = [Conflict("the predicate has another cardinality")]

    assert scene.deliver("a", "b") == [False, True]
    assert scene.job("a").error == {"code": "CONFLICT", "message": "the predicate has another cardinality"}
    assert scene.deliver("a") == [False], "its message goes to the dead letters"
    assert scene.ledger.order == ["b"]


def test_a_poisoned_job_fails_after_a_few_attempts_without_telling_content(scene: Scene) -> None:
    scene.put("a", "b")
    scene.ledger.fails["a"] = [ValueError("secret words")] * 100

    outcomes = [scene.deliver("a")[0] for _ in range(ATTEMPTS)]

    assert outcomes == [False] * ATTEMPTS
    assert scene.job("a").error == {"code": "INTERNAL_ERROR", "message": "an unexpected error"}
    assert len(scene.crashes) == ATTEMPTS
    assert scene.statuses("b") == ["done"]


def test_a_job_that_kills_its_workers_fails_too(scene: Scene) -> None:
    scene.put("a", "b")

    def kill(job_id: str) -> None:
        if job_id == "a":
            raise Killed

    scene.ledger.meanwhile = kill
    for _ in range(ATTEMPTS):
        with pytest.raises(Killed):
            scene.deliver("b")
        scene.clock.turn(seconds=LIFE.seconds + 10)

    assert scene.deliver("b") == [True]
    assert scene.job("a").error == {"code": "GAVE_UP", "message": f"{ATTEMPTS} attempts ended before it was done"}


def test_a_failed_job_that_is_sent_again_is_done(scene: Scene) -> None:
    scene.put("a")
    scene.ledger.fails["a"] = [Conflict("no")]
    scene.deliver("a")

    assert scene.stores.jobs.requeue(scene.job("a"))
    assert scene.deliver("a") == [True]
    assert (scene.job("a").status, scene.job("a").error, scene.job("a").attempts) == ("done", None, 1)


def test_jobs_without_an_order_do_not_wait_for_each_other(scene: Scene) -> None:
    scene.put("a", "b", kind="embed")
    scene.ledger.fails["a"] = [StoreUnavailable("away")] * 200

    assert scene.deliver("a", "b") == [False, True]
    assert scene.statuses("a", "b") == ["queued", "done"]


def test_what_the_jobs_of_a_batch_need_is_made_ready_together(scene: Scene) -> None:
    scene.put("a", "b")
    scene.put("c", session="other")

    scene.deliver("a", "c", "b", "c")

    assert scene.ledger.prepared == [["a", "c", "b"]]


def test_what_cannot_be_made_ready_together_keeps_no_job_from_being_done(scene: Scene) -> None:
    scene.put("a")
    scene.put("b", session="other")
    scene.ledger.unprepared = RuntimeError("the model refuses")

    assert scene.deliver("a", "b") == [True, True]
    assert {repr(each) for each in scene.crashes} == {"RuntimeError('the model refuses')"}


def test_a_bug_that_making_ready_meets_first_is_counted_and_told_by_each_job(scene: Scene) -> None:
    scene.put("a")
    scene.put("b", session="other")
    scene.ledger.unprepared = RuntimeError("the model refuses")
    scene.ledger.fails = {job_id: [RuntimeError("the model refuses")] * ATTEMPTS for job_id in ("a", "b")}

    for _ in range(ATTEMPTS):
        assert scene.deliver("a", "b") == [False, False]

    assert [scene.job(job_id).error for job_id in ("a", "b")] == [
        {"code": "INTERNAL_ERROR", "message": "an unexpected error"}
    ] * 2


def test_a_store_that_breaks_while_jobs_are_made_ready_is_asked_again_by_each(scene: Scene) -> None:
    scene.put("a")
    scene.put("b", session="other")
    broken = [RuntimeError("no item")]

    class Breaking:
        def __getattr__(self, name: str) -> Any:
            return getattr(scene.stores.jobs, name)

        def get(self, tenant_id: str, job_id: str) -> Job | None:
            if broken:
                raise broken.pop()
            return scene.stores.jobs.get(tenant_id, job_id)

    assert scene.deliver("a", "b", store=Breaking()) == [True, True]
    assert len(scene.crashes) == 1


def test_no_job_is_begun_when_its_function_ends_before_it(scene: Scene) -> None:
    scene.put("a")

    worker = scene.worker()
    for is_last in (False, True):
        assert worker.take(scene.tenant, [Delivery("a", is_last)], scene.clock() + timedelta(seconds=20)) == [False]
        job = scene.job("a")
        assert (job.status, job.attempts, job.error) == ("queued", 0, None), "nobody has tried"


def test_a_worker_that_dies_at_any_call_loses_and_doubles_nothing(scene: Scene) -> None:
    for chosen in range(1, 200):
        first, second = f"a{chosen}", f"b{chosen}"
        scene.put(first, second, session=f"s{chosen}")
        points = Points(chosen, die)
        with suppress(Killed):
            scene.deliver(first, store=_Port(scene.stores.jobs, points))
        if points.is_over:
            break
        scene.clock.turn(seconds=LIFE.seconds + 10)

        assert scene.deliver(second, first) == [True, True], f"after the end at point {chosen}"
        assert scene.statuses(first, second) == ["done", "done"]
        assert [each for each in scene.ledger.order if each in (first, second)] == [first, second]
    assert chosen > 15
