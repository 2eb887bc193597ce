"""MiniStack with IAM enforced and the proxy before it, as `make up` starts them; and roles as a deployment has them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from local import ministack, services
from local.iam import records
from local.iam.records import Record
from local.ports import ports
from local.state import State
from tests.rest_service import RestService, serving

REGION = "us-east-1"
TABLE = "memory"
BUCKET = "archive-of-tests"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:000000000000:table/{TABLE}"
TENANT = "${aws:PrincipalTag/tenant_id}"
_ONCE = Config(retries={"total_max_attempts": 1})
_PRESIGNING = Config(retries={"total_max_attempts": 1}, signature_version="s3v4")  # the default for it is the old one
_KEYED: dict[str, Any] = {
    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}#*"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}
_ITEMS = "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem"
STATEMENTS: list[dict[str, Any]] = [
    {
        "Sid": "Items",
        "Effect": "Allow",
        "Action": [f"dynamodb:{name}" for name in _ITEMS.split()],
        "Resource": [TABLE_ARN, f"{TABLE_ARN}/index/*"],
        "Condition": _KEYED,
    },
    {
        "Sid": "Objects",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": [f"arn:aws:s3:::{BUCKET}/{TENANT}/*"],
    },
    {
        "Sid": "Uploads",
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{BUCKET}/!uploads/{TENANT}/*"],
    },
    {
        "Sid": "Listing",
        "Effect": "Allow",
        "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
        "Resource": [f"arn:aws:s3:::{BUCKET}"],
        "Condition": {"StringLike": {"s3:prefix": [f"{TENANT}/*"]}},
    },
]


@dataclass(frozen=True)
class Enforced:
    """Where the stand-in is, where the proxy is, and what Bedrock and the Data API would be."""

    direct: str
    proxied: str
    state: State
    stand_in: RestService = field(repr=False)

    def root(self, service: str) -> Any:
        """A client of the stand-in that may do everything."""
        return ministack.client(service, self.direct)

    def client(self, service: str, credentials: dict[str, str]) -> Any:
        """A client that goes through the proxy."""
        return boto3.client(
            service,
            endpoint_url=self.proxied,
            region_name=REGION,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=_PRESIGNING if service == "s3" else _ONCE,
        )

    def session(self, tenant: str | None, role: str = "tenant", **more: Any) -> dict[str, str]:
        """Credentials of a session of a role, tagged with a tenant."""
        tags = {"Tags": [{"Key": "tenant_id", "Value": tenant}]} if tenant else {}
        sts = ministack.client("sts", self.proxied)
        arn = f"arn:aws:iam::000000000000:role/{role}"
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="test", **tags, **more)
        credentials: dict[str, str] = answer["Credentials"]
        return credentials

    def policy(self, role: str, statements: list[dict[str, Any]]) -> None:
        """Give a role its only policy."""
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.root("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document)
        httpx.post(f"{self.proxied}/_local/forget", trust_env=False).raise_for_status()

    def running(self, test: str) -> None:
        """Say which test runs."""
        httpx.post(f"{self.proxied}/_local/test", json={"name": test}, trust_env=False).raise_for_status()

    def records(self, test: str) -> list[Record]:
        """What was decided while a test ran."""
        return [each for each in records.read(self.state.iam_records) if each.test == test]


@pytest.fixture(scope="session")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    """The services, a table, a bucket, and a role for tenants."""
    state = State(tmp_path_factory.mktemp("iam"))
    chosen = ports(state)
    with serving(chosen.bedrock) as stand_in:
        try:
            services.ensure_ministack(state, chosen)
            services.ensure_iam(state, chosen)
            made = Enforced(ministack.endpoint(chosen), ministack.iam_endpoint(chosen), state, stand_in)
            _furnish(made)
            yield made
        finally:
            services.stop(state, "iam")
            services.stop(state, "ministack")


def _furnish(made: Enforced) -> None:
    names = ("pk", "sk", "user_key")
    made.root("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_user",
                "KeySchema": [{"AttributeName": "user_key", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    made.root("s3").create_bucket(Bucket=BUCKET)
    make_role(made, "tenant", {"AWS": "arn:aws:iam::000000000000:root"})
    made.policy("tenant", STATEMENTS)


def make_role(made: Enforced, name: str, principal: dict[str, str]) -> str:
    """Make a role that the principal may take, with tags."""
    trusted = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": principal}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    made_role = made.root("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    arn: str = made_role["Role"]["Arn"]
    return arn
