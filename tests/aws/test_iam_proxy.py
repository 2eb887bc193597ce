"""Who calls through the proxy, what it lets by as it is, and what it writes down."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from local.iam.records import Record
from tests.fix_iam import BUCKET, REGION, TABLE, TABLE_ARN, Enforced, make_role

MODEL = "amazon.titan-embed-text-v2:0"
CLUSTER = f"arn:aws:rds:{REGION}:000000000000:cluster:c"
SECRET = f"arn:aws:secretsmanager:{REGION}:000000000000:secret:s-AbCdEf"
HANDLER = """
import os

def handler(event, context):
    print("one line")
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
"""
OWN_POLICY: list[dict[str, Any]] = [
    {"Sid": "Read", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE_ARN},
    {
        "Sid": "Embed",
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel",
        "Resource": f"arn:aws:bedrock:{REGION}::foundation-model/{MODEL}",
    },
    {"Sid": "Statements", "Effect": "Allow", "Action": "rds-data:ExecuteStatement", "Resource": CLUSTER},
    {"Sid": "Secret", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET},
]
ITEM = {"pk": {"S": "acme#agent#0"}, "sk": {"S": "secret-id"}}


@pytest.fixture(scope="module")
def environment(enforced: Enforced) -> Iterator[dict[str, str]]:
    """What a function of the stand-in finds in its environment."""
    role = make_role(enforced, "app", {"Service": "lambda.amazonaws.com"})
    enforced.policy("app", OWN_POLICY)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", HANDLER)
    with closing(enforced.root("lambda")) as client:
        client.create_function(
            FunctionName="app",
            Runtime="python3.12",
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": packed.getvalue()},
        )
        yield json.load(client.invoke(FunctionName="app")["Payload"])
        client.delete_function(FunctionName="app")


@pytest.fixture(scope="module")
def function(environment: dict[str, str]) -> dict[str, str]:
    """The credentials of the function's own role."""
    return {
        "AccessKeyId": environment["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": environment["AWS_SESSION_TOKEN"],
    }


def call(enforced: Enforced, credentials: dict[str, str], service: str, operation: str, **request: Any) -> Any:
    with closing(enforced.client(service, credentials)) as client:
        return getattr(client, operation)(**request)


def refused(enforced: Enforced, credentials: dict[str, str], service: str, operation: str, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(enforced, credentials, service, operation, **request)
    code: str = raised.value.response["Error"]["Code"]
    return code


def test_functions_call_the_proxy_for_every_service(enforced: Enforced, environment: dict[str, str]) -> None:
    assert environment["AWS_ENDPOINT_URL"] == enforced.proxied
    assert not [name for name in environment if name.startswith("AWS_ENDPOINT_URL_")]


def test_what_the_stand_in_says_to_a_function_is_what_its_policies_say(
    enforced: Enforced, function: dict[str, str]
) -> None:
    enforced.running("agree")

    assert "Item" not in call(enforced, function, "dynamodb", "get_item", TableName=TABLE, Key=ITEM)
    assert refused(enforced, function, "dynamodb", "put_item", TableName=TABLE, Item=ITEM) == "AccessDeniedException"
    assert refused(enforced, function, "s3", "head_bucket", Bucket=BUCKET) == "403"

    assert [(each.action, each.allowed, each.stand_in, each.by) for each in enforced.records("agree")] == [
        ("dynamodb:GetItem", True, True, ("own.Read",)),
        ("dynamodb:PutItem", False, False, ()),
        ("s3:ListBucket", False, False, ()),
    ]


def test_bedrock_is_reached_for_the_model_that_is_allowed_only(enforced: Enforced, function: dict[str, str]) -> None:
    body = json.dumps({"inputText": "a"})
    call(enforced, function, "bedrock-runtime", "invoke_model", modelId=MODEL, body=body)
    seen = len(enforced.stand_in.requests)

    code = refused(enforced, function, "bedrock-runtime", "invoke_model", modelId="another.model", body=body)

    assert code == "AccessDeniedException"
    assert len(enforced.stand_in.requests) == seen


@pytest.mark.parametrize(
    ("operation", "cluster", "secret"),
    [
        ("execute_statement", f"{CLUSTER}x", SECRET),
        ("execute_statement", CLUSTER, f"{SECRET}x"),
        ("begin_transaction", CLUSTER, SECRET),
    ],
)
def test_the_data_api_is_refused_for_what_no_statement_names(
    enforced: Enforced, function: dict[str, str], operation: str, cluster: str, secret: str
) -> None:
    more = {"sql": "SELECT 1"} if operation == "execute_statement" else {}

    code = refused(enforced, function, "rds-data", operation, resourceArn=cluster, secretArn=secret, **more)

    assert code == "AccessDeniedException"


def test_a_key_without_its_token_is_nobodys(enforced: Enforced, function: dict[str, str]) -> None:
    own, other = enforced.session("acme"), enforced.session("globex")

    for forged in (own | {"SessionToken": other["SessionToken"]}, function | {"SessionToken": "x"}):
        code = refused(enforced, forged, "dynamodb", "get_item", TableName=TABLE, Key=ITEM)
        assert code == "ExpiredTokenException"


def test_nobody_gets_by_unsigned_or_with_a_key_that_is_not_known(enforced: Enforced) -> None:
    credentials = {"AccessKeyId": "ASIA0000000000000000", "SecretAccessKey": "s", "SessionToken": "t"}

    assert refused(enforced, credentials, "dynamodb", "get_item", TableName=TABLE, Key=ITEM) == "ExpiredTokenException"
    assert httpx.get(f"{enforced.proxied}/{BUCKET}/acme/agent/1", trust_env=False).status_code == 403


def test_a_session_policy_narrows_a_session_further(enforced: Enforced) -> None:
    only_get = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": only_get})
    narrowed = enforced.session("acme", Policy=policy)

    assert call(enforced, narrowed, "dynamodb", "get_item", TableName=TABLE, Key=ITEM)
    assert refused(enforced, narrowed, "dynamodb", "put_item", TableName=TABLE, Item=ITEM) == "AccessDeniedException"


def test_an_explicit_deny_of_the_bucket_wins(enforced: Enforced) -> None:
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = {"Version": "2012-10-17", "Statement": denied}
    s3 = enforced.root("s3")
    s3.put_object(Bucket=BUCKET, Key="acme/denied", Body=b"")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    try:
        httpx.post(f"{enforced.proxied}/_local/forget", trust_env=False)
        code = refused(enforced, enforced.session("acme"), "s3", "get_object", Bucket=BUCKET, Key="acme/denied")
        assert code == "AccessDenied"
    finally:
        s3.delete_bucket_policy(Bucket=BUCKET)
        httpx.post(f"{enforced.proxied}/_local/forget", trust_env=False)


def test_a_permission_that_is_given_holds_at_once(enforced: Enforced, function: dict[str, str]) -> None:
    request = {"TableName": TABLE, "Key": ITEM}
    assert refused(enforced, function, "dynamodb", "delete_item", **request) == "AccessDeniedException"
    more = [*OWN_POLICY, {"Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": TABLE_ARN}]
    document = json.dumps({"Version": "2012-10-17", "Statement": more})
    enforced.root("iam").put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=document)
    enforced.running("given")
    try:
        call(enforced, function, "dynamodb", "delete_item", **request)
    finally:
        enforced.policy("app", OWN_POLICY)

    assert [each.allowed for each in enforced.records("given")] == [True]


def test_records_say_what_was_asked_and_hold_no_id(enforced: Enforced) -> None:
    acme = enforced.session("acme")
    enforced.running("no ids")
    for sk in ("one-secret-id", "another-secret-id"):
        call(enforced, acme, "dynamodb", "put_item", TableName=TABLE, Item={**ITEM, "sk": {"S": sk}})
        call(enforced, acme, "s3", "put_object", Bucket=BUCKET, Key=f"acme/{sk}/x", Body=b"")
    call(enforced, acme, "s3", "list_objects_v2", Bucket=BUCKET, Prefix="acme/one-secret-id/")

    found = enforced.records("no ids")

    assert [_line(each) for each in found] == [
        ("dynamodb:PutItem", TABLE_ARN, "dynamodb:leadingkeys", ("acme#~",), ("own.Items",)),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/acme/~", "", (), ("own.Objects",)),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", "s3:prefix", ("acme/~",), ("own.Listing",)),
    ]
    assert "secret-id" not in enforced.state.iam_records.read_text()
    assert enforced.state.iam_records.stat().st_mode & 0o077 == 0


def _line(record: Record) -> tuple[str, str, str, tuple[str, ...], tuple[str, ...]]:
    name = next((key for key in ("dynamodb:leadingkeys", "s3:prefix") if key in record.context), "")
    return record.action, record.resource, name, record.context.get(name, ()), record.by
