"""Procedures over HTTP, as an agent uses them, and as an operator loads and exports them."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.stack import Stack
from local.state import ROOT
from tests.e2e.api import Api

PROCEDURES = "/v1/procedures"
KEYS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
EXAMPLES = ROOT / "examples" / "procedures"


@pytest.fixture
def agent() -> str:
    """An agent that no other test has used."""
    return f"agent-{uuid.uuid4().hex[:12]}"


def put(api: Api, name: str, **fields: Any) -> Any:
    return api.put(f"{PROCEDURES}/{name}", fields)


def matched(api: Api, message: str, **fields: Any) -> list[str]:
    found = api.post(f"{PROCEDURES}/match", {"message": message, **fields})["procedures"]
    return [each["name"] for each in found]


def test_a_message_finds_a_procedure_by_what_it_means_and_the_agent_fills_it(api: Api, agent: str) -> None:
    schema = {"type": "object", "required": ["order"], "properties": {"order": {"type": "string"}}}
    steps = ["Find order {{order}}.", "Pay it back."]
    put(api, "refund", agent_id=agent, trigger=["refund an order", "money back"], steps=steps, input_schema=schema)
    put(api, "water", agent_id=agent, trigger="water the plants", steps=["Fetch the can."])
    put(api, "piano", agent_id=agent, trigger="move a piano", template="Call a crane.")

    message = "I would like to be reimbursed for what I purchased"
    assert matched(api, message, agent_id=agent)[0] == "refund"
    assert matched(api, "the flowers look thirsty", agent_id=agent)[0] == "water"
    path = f"{PROCEDURES}/refund/render"
    told = api.post(path, {"agent_id": agent, "arguments": {"order": "A-17 & <co>"}})
    assert told["text"] == "Find order A-17 & <co>.\nPay it back."
    refused = api.post(path, {"agent_id": agent, "arguments": {"order": 17}}, expect=400)
    assert [each["field"] for each in refused["details"]] == ["arguments.order"]


def test_versions_stay_readable_and_a_repetition_makes_none(api: Api, agent: str) -> None:
    first = put(api, "greet", agent_id=agent, trigger="say hello", steps=["Wave."])
    again = put(api, "greet", agent_id=agent, trigger="say hello", steps=["Wave."])
    second = put(api, "greet", agent_id=agent, trigger="say hello", steps=["Bow."])

    assert [(each["version"], each["created"]) for each in (first, again, second)] == [(1, True), (1, False), (2, True)]
    path = f"{PROCEDURES}/greet?agent_id={agent}"
    assert api.get(path)["steps"] == ["Bow."]
    assert api.get(f"{path}&version=1")["steps"] == ["Wave."]
    history = api.get(f"{PROCEDURES}/greet/versions?agent_id={agent}")["versions"]
    assert [each["version"] for each in history] == [2, 1]
    api.delete(path)
    api.get(path, expect=404)


def test_a_purpose_that_was_not_asked_for_never_appears(api: Api, agent: str) -> None:
    put(api, "audit", agent_id=agent, trigger="check the books", steps=["Look."], purposes=["audit"])

    assert "audit" not in matched(api, "check the books", agent_id=agent)
    assert matched(api, "check the books", agent_id=agent, purpose="audit")[0] == "audit"


def test_a_purge_takes_the_agent_s_procedures(api: Api, agent: str) -> None:
    put(api, "greet", agent_id=agent, trigger="say hello", steps=["Wave."])

    assert api.delete(f"/v1/memory/{agent}", expect=200)["deleted"]["procedures"] == 1
    api.get(f"{PROCEDURES}/greet?agent_id={agent}", expect=404)


def test_an_operator_loads_the_examples_and_exports_them_again(stack: Stack, tmp_path: Path) -> None:
    tenant = f"files-{uuid.uuid4().hex[:12]}"
    loaded = command(stack, "load", str(EXAMPLES), "--tenant", tenant)
    names = {each["name"] for file in loaded["files"] for each in file["procedures"]}
    assert {"refund-order", "meeting-notes", "page-on-call", "close-incident"} <= names
    assert all(each["created"] for file in loaded["files"] for each in file["procedures"])

    exported = command(stack, "export", str(tmp_path), "--tenant", tenant)
    assert len(exported["files"]) == len(names)
    again = command(stack, "load", str(tmp_path), "--tenant", tenant)
    assert not any(each["created"] for file in again["files"] for each in file["procedures"])


def command(stack: Stack, *arguments: str) -> Any:
    """Run the command as an operator would, with what the function `knowledge` is told of model and database."""
    functions = boto3.client("lambda", endpoint_url=stack.aws_endpoint_url, region_name=stack.region, **KEYS)
    told = functions.get_function_configuration(FunctionName=f"{stack.deployment_name}-knowledge")
    environment = told["Environment"]["Variables"] | {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT / "lambda_src"),
        "AWS_ENDPOINT_URL": stack.aws_endpoint_url,
        "AWS_ENDPOINT_URL_RDS_DATA": stack.rds_data_endpoint_url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": stack.bedrock_endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": stack.region,
        "PEPPER_PARAMETER": f"/{stack.deployment_name}/api-key-pepper",
    }
    environment.pop("TENANT_ROLE_ARN", None)  # an operator has rights of their own
    program = [sys.executable, "-m", "agent_memory.entrypoints.admin", "procedures", *arguments]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
