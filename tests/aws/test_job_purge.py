"""A purge takes an agent's jobs, and nothing is done for it any more."""

import secrets
from datetime import timedelta

import pytest

from agent_memory.adapters import dynamodb_job_purge
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_job_purge import DynamoAgentJobs
from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables
from agent_memory.domain.jobs import Job, Kind
from agent_memory.errors import StoreUnavailable
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

MINUTE = timedelta(minutes=1)


@pytest.fixture
def jobs(aws: Aws) -> DynamoJobStore:
    client = aws.client()
    tables = Tables(aws.memory_table, aws.control_table)
    return DynamoJobStore(client, tables, DynamoIdempotencyStore(client, aws.control_table))


def put(
    jobs: DynamoJobStore, tenant: str, clock: Clock, job_id: str, agent: str = "a", kind: Kind = "session_end"
) -> Job:
    job = Job(tenant, job_id, kind, agent, "s", "ana", clock())
    jobs.put(job, {"transcript": secrets.token_hex(600_000 if job_id == "large" else 5)}, None)
    found = jobs.get(tenant, job_id)
    assert found
    return found


def purge(aws: Aws, tenant: str, clock: Clock, agent: str = "a") -> int:
    return sum(
        part.counts["other"] for part in DynamoAgentJobs(aws.client(), aws.control_table, clock).purge(tenant, agent)
    )


def left(aws: Aws) -> list[str]:
    items = aws.client().call("Scan", {"TableName": aws.control_table})["Items"]
    return sorted(f"{item['pk']['S']} {item['sk']['S']}" for item in items)


def test_all_of_an_agents_jobs_go_and_no_other_agents(
    aws: Aws, jobs: DynamoJobStore, tenant: str, clock: Clock
) -> None:
    put(jobs, tenant, clock, "other", agent="a#")
    put(jobs, tenant + "-2", clock, "foreign")
    before = left(aws)
    done = put(jobs, tenant, clock, "done")
    jobs.finish(done, {"summary_id": "x"}, clock())
    for job_id in ("large", "waits"):
        put(jobs, tenant, clock, job_id)
    put(jobs, tenant, clock, "embeds", kind="embed")

    assert purge(aws, tenant, clock) > 4

    assert left(aws) == before
    assert purge(aws, tenant, clock) == 0


@pytest.mark.parametrize("kind", ["session_end", "embed"])
def test_a_job_that_is_being_done_is_waited_for(
    aws: Aws, jobs: DynamoJobStore, tenant: str, clock: Clock, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb_job_purge, "_PATIENCE_S", 0.0)
    job = put(jobs, tenant, clock, "j", kind=kind)
    jobs.lease(job, "worker", clock(), clock() + MINUTE)

    with pytest.raises(StoreUnavailable) as refused:
        purge(aws, tenant, clock)
    assert refused.value.retry_after_s
    assert jobs.get(tenant, "j") is not None
    jobs.release(job, "worker")
    assert purge(aws, tenant, clock)
    assert jobs.get(tenant, "j") is None


def test_nothing_is_begun_of_what_is_purged(aws: Aws, jobs: DynamoJobStore, tenant: str, clock: Clock) -> None:
    job = put(jobs, tenant, clock, "j")
    parts = DynamoAgentJobs(aws.client(), aws.control_table, clock).purge(tenant, "a")
    next(parts)

    assert not jobs.lease(job, "worker", clock(), clock() + MINUTE), "the purge holds the session"
    list(parts)
    assert not jobs.lease(job, "worker", clock(), clock() + MINUTE), "and then it is gone"


def test_a_session_that_ends_while_its_agent_is_purged_keeps_its_new_job(
    aws: Aws, jobs: DynamoJobStore, tenant: str, clock: Clock
) -> None:
    put(jobs, tenant, clock, "before")
    parts = DynamoAgentJobs(aws.client(), aws.control_table, clock).purge(tenant, "a")
    next(parts)
    new = put(jobs, tenant, clock, "meanwhile")
    list(parts)

    assert new.sequence == 2
    assert jobs.lease(new, "worker", clock(), clock() + MINUTE), "nobody holds it up"


def test_a_purge_that_died_holds_nobody_up_for_long(aws: Aws, jobs: DynamoJobStore, tenant: str, clock: Clock) -> None:
    job = put(jobs, tenant, clock, "j")
    parts = DynamoAgentJobs(aws.client(), aws.control_table, clock).purge(tenant, "b")
    assert list(parts) == []
    next(DynamoAgentJobs(aws.client(), aws.control_table, clock).purge(tenant, "a"))
    clock.turn(minutes=2)

    assert jobs.lease(job, "worker", clock(), clock() + MINUTE)
