"""Ends of sessions over HTTP: what they come to is found and known, and what was said in passing is nowhere."""

import json
import os
import secrets
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from local.stack import Stack
from local.state import ROOT
from tests.e2e.api import Api, wait_until
from tests.e2e.test_semantic import four_scripts

SEARCH = "/v1/memory/semantic/search"


@pytest.fixture
def agent() -> str:
    """An agent that no other test has used."""
    return f"agent-{uuid.uuid4().hex[:12]}"


def end(api: Api, agent: str, session: str, **body: Any) -> str:
    accepted = api.post(f"/v1/sessions/{session}/end", {"agent_id": agent} | body, expect=202)
    assert accepted["status"] == "queued"
    job_id: str = accepted["job_id"]
    return job_id


def ended(api: Api, job_id: str, seconds: float = 60) -> Any:
    """The job, once it is over."""
    wait_until(lambda: api.get(f"/v1/jobs/{job_id}")["status"] in ("done", "failed"), seconds)
    return api.get(f"/v1/jobs/{job_id}")


def test_transcripts_are_not_stored_in_the_index(api: Api, stack: Stack, agent: str) -> None:
    """The transcript of a session is read once: its summary is found, what was only said in passing is nowhere."""
    secret = f"marzipan-{uuid.uuid4().hex}"
    transcript = [
        {"role": "user", "content": "The ferry to Tangier is what I ask about. My harbour is Tarifa."},
        {"role": "assistant", "content": "It leaves at nine. Nothing else is known about it."},
        {"role": "user", "content": "Thank you. And in passing: that code word is " + secret + "."},
    ]

    job = ended(api, end(api, agent, "s", user_id="ana", transcript=transcript))

    assert job["status"] == "done", job
    (summary,) = api.get(f"/v1/memory/semantic?agent_id={agent}")["results"]
    assert (summary["id"], summary["namespace"]) == (job["written"]["summary_id"], "summaries")
    assert "Tangier" in summary["content"]
    found = api.post(SEARCH, {"agent_id": agent, "query": f"code word {secret}"})["results"]
    assert secret not in json.dumps(found)
    facts = api.get("/v1/facts?user_id=ana&predicate=harbour")["facts"]
    assert "Tarifa" in [fact["value"] for fact in facts if fact["agent_id"] == agent]
    key = {"pk": {"S": f"{stack.tenants[0].tenant_id}#JOB#{job['job_id']}"}, "sk": {"S": "JOB"}}
    row = _client(stack, "dynamodb").get_item(TableName=stack.control_table, Key=key)["Item"]
    assert row.keys().isdisjoint({"payload", "parts"}), "what was read is kept nowhere"


def test_what_a_session_came_to_is_found_by_meaning_and_known_as_facts(api: Api, agent: str) -> None:
    user = f"user-{uuid.uuid4().hex[:8]}"
    home = {"subject": "user", "predicate": "lives in", "cardinality": "one"}
    first = end(api, agent, "s", user_id=user, summary="Noor lives in Porto.", facts=[home | {"value": "Porto"}])
    second = end(api, agent, "s", user_id=user, summary="Noor has moved.", facts=[home | {"value": "Berlin"}])

    jobs = [ended(api, job) for job in (second, first)]

    assert [job["status"] for job in jobs] == ["done", "done"]
    assert jobs[0]["written"]["superseded"] == 1, "the later one was done later"
    (fact,) = api.get(f"/v1/facts?user_id={user}")["facts"]
    assert fact["value"] == "Berlin"
    texts = [each["content"] for each in api.post(SEARCH, {"agent_id": agent, "query": "Where is home?"})["results"]]
    assert sorted(texts) == ["Noor has moved.", "Noor lives in Porto."]


def test_a_large_end_asked_for_eight_times_at_once_is_one_job_and_leaves_no_part_of_itself(
    api: Api, stack: Stack, agent: str
) -> None:
    """What no row has room for stands in parts until the job is done; whoever comes second takes theirs back."""
    user = f"user-{uuid.uuid4().hex[:8]}"
    values = [secrets.token_urlsafe(5_000) for _ in range(100)]
    facts = [{"subject": "user", "predicate": f"key {n}", "value": value} for n, value in enumerate(values)]
    body = {"agent_id": agent, "user_id": user, "summary": "A hundred keys were made.", "facts": facts}
    headers = {"Idempotency-Key": uuid.uuid4().hex}

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(api.request, "POST", "/v1/sessions/s/end", body, headers=headers) for _ in range(8)]
        answers = [each.result() for each in asked]

    assert {answer.status_code for answer in answers} == {202}, [answer.text[:200] for answer in answers]
    (job_id,) = {answer.json()["data"]["job_id"] for answer in answers}
    job = ended(api, job_id)
    assert (job["status"], len(job["written"]["fact_ids"])) == ("done", 100), job
    page = api.get(f"/v1/facts?user_id={user}")
    known = page["facts"]
    while page["next_cursor"]:
        page = api.get(f"/v1/facts?user_id={user}&cursor={page['next_cursor']}")
        known += page["facts"]
    assert sorted(fact["value"] for fact in known) == sorted(values)
    wait_until(lambda: not _parts(stack, agent), 10)


def test_a_summary_of_several_statements_is_stored_whole_and_found_once_it_has_its_vectors(
    api: Api, agent: str
) -> None:
    text = four_scripts(400_000)

    job = ended(api, end(api, agent, "s", summary=text))

    assert job["status"] == "done", job
    (summary,) = api.get(f"/v1/memory/semantic?agent_id={agent}")["results"]
    assert summary["content"] == text
    path = f"/v1/memory/semantic/{summary['id']}"
    wait_until(lambda: api.get(path)["embedding"] == "ready", 300)
    (found,) = api.post(SEARCH, {"agent_id": agent, "query": "crates on day 70", "mode": "vector"})["results"]
    assert found["id"] == summary["id"]


def test_a_job_of_another_tenant_is_not_there(api: Api, other_tenant: Api, agent: str) -> None:
    job = end(api, agent, "s", summary="A secret.")

    assert other_tenant.get(f"/v1/jobs/{job}", expect=404)["code"] == "NOT_FOUND"
    assert ended(api, job)["status"] == "done"


def test_a_job_whose_message_was_lost_is_done_after_a_redrive(api: Api, stack: Stack, agent: str) -> None:
    """Its message is among the dead letters, where whatever could not be done ends."""
    home = {"subject": "user", "predicate": f"p{uuid.uuid4().hex[:6]}", "value": 1}
    user = f"user-{uuid.uuid4().hex[:8]}"
    ended(api, end(api, agent, "s", user_id=user, summary="One.", facts=[home | {"cardinality": "one"}]))
    failing = end(api, agent, "s", user_id=user, summary="Two.", facts=[home | {"cardinality": "many"}])
    failed = ended(api, failing)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "CONFLICT")
    (fact,) = api.get(f"/v1/facts?user_id={user}")["facts"]
    api.delete(f"/v1/facts/{fact['id']}")
    sqs = _client(stack, "sqs")
    dead = sqs.get_queue_url(QueueName=f"{stack.deployment_name}-dead-letters")["QueueUrl"]
    tenant = stack.tenants[0].tenant_id
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"tenant_id": tenant, "job_id": failing}))

    told = _redrive(stack, dead)

    assert told["sent"] >= 1
    wait_until(lambda: api.get(f"/v1/jobs/{failing}")["status"] == "done", 60)


def test_a_purge_takes_jobs_and_what_they_wrote(api: Api, stack: Stack, agent: str) -> None:
    mark = f"secret-{uuid.uuid4().hex}"
    job = end(api, agent, "s", user_id="ana", summary=f"The word is {mark}.")
    ended(api, job)

    api.delete(f"/v1/memory/{agent}", expect=200)

    api.get(f"/v1/jobs/{job}", expect=404)
    assert api.get(f"/v1/memory/semantic?agent_id={agent}")["results"] == []
    assert not _stands_in_a_table(stack, agent)


def _stands_in_a_table(stack: Stack, text: str) -> bool:
    """In keys and in attributes that are not compressed."""
    client = _client(stack, "dynamodb")
    for table in (stack.memory_table, stack.control_table):
        for page in client.get_paginator("scan").paginate(TableName=table):
            if any(text in repr(item) for item in page["Items"] if item["sk"]["S"] != "EPOCH"):  # the count of purges
                return True
    return False


def _parts(stack: Stack, agent: str) -> list[str]:
    """Parts of payloads of an agent's jobs."""
    pages = _client(stack, "dynamodb").get_paginator("scan").paginate(TableName=stack.control_table)
    places = [item["sk"]["S"] for page in pages for item in page["Items"] if agent in item["pk"]["S"]]
    return [place for place in places if place.startswith("PART#")]


def _redrive(stack: Stack, dead: str) -> Any:
    queue = _client(stack, "sqs").get_queue_url(QueueName=f"{stack.deployment_name}-jobs")["QueueUrl"]
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT / "lambda_src"),
        "AWS_ENDPOINT_URL": stack.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": stack.region,
        "CONTROL_TABLE": stack.control_table,
        "MEMORY_TABLE": stack.memory_table,
        "PEPPER_PARAMETER": "unused",
        "JOB_QUEUE_URL": queue,
        "DEAD_JOBS_URL": dead,
    }
    command = [sys.executable, "-m", "agent_memory.entrypoints.admin", "jobs", "redrive"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _client(stack: Stack, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
