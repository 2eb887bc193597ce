"""The deployed tiers from behind: the mapping of the stream, a driver in its place, and what DynamoDB removes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.adapters.aws_json import AwsJsonClient
from local import ministack
from local.stack import Stack
from tests.event_source import discarded
from tests.event_source.driver import Driver, FunctionFailed
from tests.event_source.expiry import Expiry
from tests.event_source.mapping import Mapping
from tests.event_source.stream import Stream, make_client
from tests.fix_aws import Aws

LATER = timedelta(days=30)
"""After every hot window."""


def client(stack: Stack) -> AwsJsonClient:
    """A client of the tables."""
    return Aws(stack.aws_endpoint_url).client()


def mapping(stack: Stack) -> Mapping:
    """The archiver's, as Lambda describes it."""
    listed = _lambda(stack).list_event_source_mappings(FunctionName=f"{stack.deployment_name}-archiver")
    (described,) = listed["EventSourceMappings"]
    return Mapping.of(described)


def expiry(stack: Stack) -> Expiry:
    """DynamoDB's time to live, as it will be later."""
    return Expiry(client(stack), stack.memory_table, lambda: datetime.now(UTC) + LATER)


@dataclass
class Driven:
    """The driver in place of the stand-in's own poller, and keys of what it gave up."""

    driver: Driver
    expiry: Expiry
    given_up: list[str]


@contextmanager
def driven(stack: Stack) -> Iterator[Driven]:
    """The driver delivers what is written within the block."""
    configured, functions = mapping(stack), _lambda(stack)
    s3 = ministack.client("s3", stack.aws_endpoint_url)
    given_up: list[str] = []

    def invoke(event: dict[str, Any]) -> Any:
        answer = functions.invoke(FunctionName=configured.function_arn, Payload=json.dumps(event).encode())
        if "FunctionError" in answer:
            raise FunctionFailed
        return json.loads(answer["Payload"].read())

    def give_up(batch: discarded.Discarded) -> None:
        given_up.append(discarded.keep(s3, configured, batch) or "")

    later, here = expiry(stack), Aws(stack.aws_endpoint_url).client(make_client)
    stream = Stream(here, configured.stream_arn, _now, later.is_its_work, "LATEST")
    functions.update_event_source_mapping(UUID=configured.uuid, Enabled=False)
    try:
        stream.read()
        yield Driven(Driver(configured, stream.read, invoke, give_up, _now), later, given_up)
    finally:
        functions.update_event_source_mapping(UUID=configured.uuid, Enabled=True)
        s3.close()


def rows(stack: Stack, tenant_id: str, agent_id: str, kind: str) -> list[dict[str, Any]]:
    """Items of the agent's rows of the archive: OBJECT# or PENDING#."""
    request = {
        "TableName": stack.memory_table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
        "ExpressionAttributeValues": {":pk": {"S": f"{tenant_id}#{agent_id}#ARCHIVE"}, ":kind": {"S": kind}},
        "ConsistentRead": True,
    }
    found: list[dict[str, Any]] = client(stack).call("Query", request)["Items"]
    return found


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def _lambda(stack: Stack) -> Any:
    return ministack.client("lambda", stack.aws_endpoint_url)
