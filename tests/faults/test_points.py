"""Requests are recognised by what they do, and faults happen where they are planned."""

import json
from typing import Any

import pytest

from local.iam.message import Message
from tests.faults.plan import Fault, Faults
from tests.faults.points import recognise


def asked(operation: str, **request: Any) -> str:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    return recognise(Message("POST", "/", headers, json.dumps(request).encode()))


def item(sort_key: str, **more: Any) -> dict[str, Any]:
    return {"TableName": "memory", "Item": {"pk": {"S": "acme#planner#0"}, "sk": {"S": sort_key}, **more}}


def key(sort_key: str, **more: Any) -> dict[str, Any]:
    return {"TableName": "memory", "Key": {"pk": {"S": "acme#planner#0"}, "sk": {"S": sort_key}}, **more}


ROW = item("OBJECT#day#2026")
EVICTED = key("EPISODE#2026", UpdateExpression="SET evict_at = :at")
LARGE = item("SESSION#s", body_key={"S": "acme/planner/bodies/state/x/y"})


@pytest.mark.parametrize(
    ("operation", "request_", "name"),
    [
        ("PutItem", item("SESSION#s"), "put_state"),
        ("PutItem", LARGE, "commit_pointer"),
        ("PutItem", item("PENDING#abc"), "note_pending"),
        ("UpdateItem", EVICTED, "evict"),
        ("UpdateItem", key("EPOCH", UpdateExpression="ADD #count :one"), "begin_epoch"),
        ("BatchWriteItem", {"RequestItems": {"memory": [{"PutRequest": item("EPISODE#2026")}]}}, "put_episode"),
        ("BatchWriteItem", {"RequestItems": {"memory": [{"DeleteRequest": key("PENDING#a")}]}}, "forget_pending"),
        ("TransactWriteItems", {"TransactItems": [{"Put": ROW}, {"ConditionCheck": key("EPOCH")}]}, "commit_index"),
        ("TransactWriteItems", {"TransactItems": [{"Put": ROW}, {"Delete": key("OBJECT#b")}]}, "swap"),
        ("TransactWriteItems", {"TransactItems": [{"Delete": key("OBJECT#b")}]}, "drop_index"),
        ("TransactWriteItems", {"TransactItems": [{"Put": item("EPISODE#2026")}]}, "put_episode"),
        ("GetItem", key("EPOCH"), "read_epoch"),
        ("Query", {"ExpressionAttributeValues": {":low": {"S": "PENDING#"}}}, "read_pending"),
        ("Scan", {"TableName": "memory"}, "scan"),
        ("UpdateItem", key("USAGE"), "other_write"),
    ],
)
def test_a_request_to_a_table_has_a_name(operation: str, request_: dict[str, Any], name: str) -> None:
    assert asked(operation, **request_) == name


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("PUT", "/archive/acme/planner/2026-11-20/ab.jsonl.gz", "put_object"),
        ("GET", "/archive/acme/planner/2026-11-20/ab.jsonl.gz", "get_object"),
        ("PUT", "/archive/acme/planner/bodies/state/x/y", "put_body"),
        ("DELETE", "/archive/acme/planner/bodies/state/x/y?versionId=1", "remove_body"),
        ("GET", "/archive?versions&prefix=acme", "list_objects"),
        ("GET", "/archive?list-type=2", "list_objects"),
    ],
)
def test_a_request_to_the_bucket_has_a_name(method: str, target: str, name: str) -> None:
    assert recognise(Message(method, target, {}, b"")) == name


def test_the_keys_of_a_removal_are_in_its_body() -> None:
    body = b"<Delete><Object><Key>acme/planner/bodies/state/x/y</Key></Object></Delete>"

    assert recognise(Message("POST", "/archive?delete", {}, body)) == "remove_body"


def test_a_fault_waits_for_its_point_and_happens_once() -> None:
    fault = Fault("archiver.put_object", "before", "kill", skip=1)
    faults = Faults([fault])

    met = [faults.meet("archiver", name) for name in ("evict", "put_object", "put_object", "put_object")]

    assert met == [None, None, fault, None]
    assert faults.met == {"kill archiver.put_object before": 1}


def test_a_fault_anywhere_happens_wherever_the_worker_is() -> None:
    fault = Fault("archiver.anywhere", "after", "lose")
    faults = Faults([fault])

    assert faults.meet("sweeper", "scan") is None
    assert faults.meet("archiver", "evict") is fault


def test_when_faults_are_off_everything_passes() -> None:
    faults = Faults([Fault("archiver.evict", "before", "kill")], is_on=False)

    assert faults.meet("archiver", "evict") is None
