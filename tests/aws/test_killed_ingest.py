"""Workers are killed for real, again and again, while messages come twice and in any order: nothing is lost."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from agent_memory.adapters.dynamodb_control import DynamoSubjectStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.jobs import Job
from agent_memory.domain.sessions import SessionEnd
from agent_memory.domain.times import now
from agent_memory.service.sessions import Sessions
from agent_memory.service.subjects import Subjects
from local.state import ROOT
from tests.fix_aws import REGION, Aws
from tests.fix_postgres import APP_ARN, CLUSTER_ARN, Aurora
from tests.rest_service import serving

LIFE_S = 4.0
ROUNDS = 10
SESSIONS = 4
JOBS = 3


@pytest.fixture
def environment(aws: Aws, migrated: Aurora) -> Iterator[Mapping[str, str]]:
    with serving() as model:
        yield {
            "PATH": os.defpath,
            "PYTHONPATH": f"{ROOT / 'lambda_src'}:{ROOT}",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ENDPOINT_URL_RDS_DATA": migrated.endpoint,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": model.endpoint,
            "MEMORY_TABLE": aws.memory_table,
            "CONTROL_TABLE": aws.control_table,
            "DATABASE_CONNECTION": "data_api",
            "DATABASE_NAME": "memory",
            "DATABASE_CLUSTER_ARN": CLUSTER_ARN,
            "DATABASE_APP_SECRET_ARN": APP_ARN,
            "EMBEDDING_MODEL": "amazon.titan-embed-text-v2:0",
            "EMBEDDING_DIMENSIONS": "3",
            "EMBEDDING_CHUNK_TOKENS": "64",
            "EMBEDDING_TIMEOUT_S": "2",
            "JOB_ATTEMPTS": "1000",  # every kill is one
            "JOB_S": "1",
        }


class Worker:
    """One process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.ingest_worker", str(LIFE_S)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def await_ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def send(self, event: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        """Let it work to the end, its own or that of its time."""
        self._process.communicate()


def test_killed_workers_lose_and_double_nothing(
    aws: Aws, migrated: Aurora, tenant: str, environment: Mapping[str, str]
) -> None:
    chance = random.Random(tenant)  # noqa: S311 - an order, not a secret
    store, jobs = _ended(aws, tenant)
    for _ in range(ROUNDS):
        workers = [Worker(environment) for _ in range(2)]
        for worker in workers:
            worker.await_ready()
        for worker in workers:
            worker.send(_event(chance, tenant, jobs))
        for worker in workers:
            time.sleep(chance.uniform(0, 0.5))
            worker.kill()
    statuses = [_status(store, job) for job in jobs]
    deadline = time.monotonic() + 240
    while set(statuses) != {"done"}:
        assert time.monotonic() < deadline, statuses
        worker = Worker(environment)
        worker.await_ready()
        worker.send(_event(chance, tenant, jobs))
        worker.end()
        statuses = [_status(store, job) for job in jobs]

    with migrated.superuser() as superuser:
        summaries = superuser.execute(
            "SELECT session_id, content, memory_id FROM memory.memories WHERE tenant_id = %s", [tenant]
        ).fetchall()
    written = [found.written for job in jobs if (found := store.get(tenant, job.job_id))]
    assert sorted(str(row[2]) for row in summaries) == sorted(each["summary_id"] for each in written if each)
    assert len(summaries) == SESSIONS * JOBS
    for session in range(SESSIONS):
        own = [store.get(tenant, job.job_id) for job in jobs if job.session_id == f"s{session}"]
        ends = [job.finished_at for job in own if job and job.finished_at]
        assert ends == sorted(ends), "in order"
        superseded = [(job.written or {})["superseded"] for job in own if job]
        assert superseded == [0, 1, 1], "each fact closed the one before it, once"


def _ended(aws: Aws, tenant: str) -> tuple[DynamoJobStore, list[Job]]:
    client = aws.client()
    store = DynamoJobStore(
        client, Tables(aws.memory_table, aws.control_table), DynamoIdempotencyStore(client, aws.control_table)
    )
    sessions = Sessions(store, Subjects(DynamoSubjectStore(client, aws.memory_table)), None, now)
    jobs = []
    for number in range(JOBS):
        for session in range(SESSIONS):
            fact = {"subject": "user", "predicate": "lives in", "value": f"city {number}", "cardinality": "one"}
            new = SessionEnd.model_validate(
                {"agent_id": f"a{session}", "user_id": f"u{session}", "summary": f"Moved {number} times."}
                | {"facts": [fact], "timestamp": f"2026-11-{number + 10}T00:00:00Z"}
            )
            jobs.append(sessions.end(tenant, f"s{session}", new, Attempt()))
    return store, jobs


def _event(chance: random.Random, tenant: str, jobs: list[Job]) -> Any:
    """Some of the messages, some of them twice, in any order."""
    picked = chance.choices(jobs, k=8)
    return {
        "Records": [
            {
                "messageId": str(place),
                "body": json.dumps({"tenant_id": tenant, "job_id": job.job_id}),
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            for place, job in enumerate(picked)
        ]
    }


def _status(store: DynamoJobStore, job: Job) -> str:
    found = store.get(job.tenant_id, job.job_id)
    assert found
    assert found.status != "failed", found.error
    return found.status
