"""Notes of the outbox become messages, and messages that were given up are sent again, over SQS's protocol."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_jobs import DynamoJobStore, Tables
from agent_memory.adapters.sqs import SqsJobQueue
from agent_memory.bootstrap.jobs import job_queue
from agent_memory.domain.jobs import Job
from agent_memory.entrypoints import relay
from agent_memory.entrypoints.admin.__main__ import main
from tests.fakes.clock import Clock
from tests.fix_aws import REGION, Aws
from tests.fix_edge import forget_clients

CONTEXT = SimpleNamespace(aws_request_id="r")


class Queues:
    """The queue and its dead letters."""

    def __init__(self, aws: Aws) -> None:
        self.client: Any = boto3.client(
            "sqs",
            endpoint_url=aws.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.jobs = self.client.create_queue(QueueName="jobs")["QueueUrl"]
        self.dead = self.client.create_queue(QueueName="dead")["QueueUrl"]

    def messages(self, url: str) -> list[Any]:
        found = self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(each["Body"]) for each in found.get("Messages", [])]

    def close(self) -> None:
        for url in (self.jobs, self.dead):
            self.client.delete_queue(QueueUrl=url)
        self.client.close()


@pytest.fixture
def queues(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    made = Queues(aws)
    told = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "CONTROL_TABLE": aws.control_table,
        "MEMORY_TABLE": aws.memory_table,
        "PEPPER_PARAMETER": "pepper",
        "JOB_QUEUE_URL": made.jobs,
        "DEAD_JOBS_URL": made.dead,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    forget_clients()
    job_queue.cache_clear()
    yield made
    forget_clients()
    made.close()


@pytest.fixture
def jobs(aws: Aws) -> DynamoJobStore:
    client = aws.client()
    tables = Tables(aws.memory_table, aws.control_table)
    return DynamoJobStore(client, tables, DynamoIdempotencyStore(client, aws.control_table))


def a_job(job_id: str, tenant: str, clock: Clock) -> Job:
    return Job(tenant, job_id, "session_end", "a#b", "s", "ana", clock())


def notes(aws: Aws) -> list[Any]:
    """What stands in the outbox."""
    items = aws.client().call("Scan", {"TableName": aws.memory_table})["Items"]
    return [item for item in items if item["sk"]["S"].startswith("OUTBOX#")]


def records(items: list[Any]) -> Any:
    return {
        "Records": [
            {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(place), "NewImage": item}}
            for place, item in enumerate(items)
        ]
    }


def test_a_note_holds_ids_and_becomes_a_message_of_ids(
    aws: Aws, queues: Queues, jobs: DynamoJobStore, tenant: str, clock: Clock
) -> None:
    jobs.put(a_job("j", tenant, clock), {"summary": "secret words"}, None)

    (note,) = notes(aws)
    assert note.keys() == {"pk", "sk", "job_id", "created_at", "evict_at"}
    assert relay.handler(records([note]), CONTEXT) == {"batchItemFailures": []}
    assert queues.messages(queues.jobs) == [{"tenant_id": tenant, "job_id": "j"}]


def test_the_note_goes_when_its_job_is_over(
    aws: Aws, queues: Queues, jobs: DynamoJobStore, tenant: str, clock: Clock
) -> None:
    for job_id in ("done", "failed", "waits"):
        jobs.put(a_job(job_id, tenant, clock), {}, None)
    jobs.finish(_get(jobs, tenant, "done"), {}, clock())
    jobs.fail(_get(jobs, tenant, "failed"), {"code": "X"}, clock())

    assert [note["job_id"]["S"] for note in notes(aws)] == ["waits"]


def test_what_the_queue_did_not_take_is_told(
    aws: Aws, queues: Queues, jobs: DynamoJobStore, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        jobs.put(a_job(f"j{number}", tenant, clock), {}, None)
    call = SqsJobQueue._call

    def some(queue: SqsJobQueue, operation: str, request: Any) -> Any:
        answer = call(queue, operation, request)
        return answer | {"Successful": answer["Successful"][1:]}

    monkeypatch.setattr(SqsJobQueue, "_call", some)

    told = relay.handler(records(notes(aws)), CONTEXT)

    assert told == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "10"}]}


def test_when_the_queue_is_away_everything_is_told(aws: Aws, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_QUEUE_URL", queues.jobs + "-gone")
    job_queue.cache_clear()
    note = {"pk": {"S": "t#a#0"}, "sk": {"S": "OUTBOX#j"}, "job_id": {"S": "j"}}

    assert relay.handler(records([note]), CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "0"}]}


def test_an_operator_sends_again_what_failed_and_what_was_forgotten(
    aws: Aws, queues: Queues, jobs: DynamoJobStore, tenant: str, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    for job_id in ("failed", "done", "forgotten"):
        jobs.put(a_job(job_id, tenant, clock), {"job": job_id}, None)
    jobs.fail(_get(jobs, tenant, "failed"), {"code": "CONFLICT"}, clock())
    jobs.finish(_get(jobs, tenant, "done"), {}, clock())
    for body in (
        {"tenant_id": tenant, "job_id": "failed"},
        {"tenant_id": tenant, "job_id": "done"},
        {"maintain": True},
    ):
        queues.client.send_message(QueueUrl=queues.dead, MessageBody=json.dumps(body))

    assert main(["jobs", "redrive"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"sent": 1, "needless": 1, "foreign": 1, "forgotten": 0}, "a young note is on its way"
    clock.turn(hours=2)
    queues.client.send_message(QueueUrl=queues.dead, MessageBody="{}")
    assert main(["jobs", "redrive"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told == {"sent": 0, "needless": 0, "foreign": 1, "forgotten": 1}
    sent = {each["job_id"] for each in queues.messages(queues.jobs)}
    assert sent == {"failed", "forgotten"}
    assert _get(jobs, tenant, "failed").status == "queued"


def _get(jobs: DynamoJobStore, tenant: str, job_id: str) -> Job:
    found = jobs.get(tenant, job_id)
    assert found
    return found
