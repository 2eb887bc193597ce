"""The account as the stand-in has it: roles and their policies, functions, tables, buckets, read as root."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from botocore.exceptions import ClientError

from local import ministack
from local.iam.dynamodb import Keys
from local.iam.patterns import UnclearPolicy
from local.iam.policies import Statement, parse

ACCOUNT = "000000000000"
_KEPT_S = 10.0
_INVOKED_AS = ("", ":$LATEST")  # by a name, or by a name and the version that Terraform asks for
_FILLED = ("aws:principaltag/", "aws:requesttag/", "s3:x-amz-server-side-encryption")
_ALSO_FILLED = {
    "aws:principalarn",
    "aws:securetransport",
    "aws:tagkeys",
    "dynamodb:enclosingoperation",
    "dynamodb:leadingkeys",
    "lambda:sourcefunctionarn",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
}

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Role:
    """A role with all that decides about its requests; without a boundary there is none."""

    name: str
    tags: Mapping[str, str]
    policies: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None


@dataclass(frozen=True)
class FunctionKey:
    """The key that the stand-in gives to a function: made from its name and its role, always the same."""

    key: str
    token: str
    role: str
    function: str


class Kept(Generic[_Value]):
    """What was read, for a while: a permission that is taken away is gone here as soon as on AWS, within seconds."""

    def __init__(self, read: Callable[[str], _Value]) -> None:
        self._read = read
        self._found: dict[str, tuple[float, _Value]] = {}

    def fresh(self, name: str, longest_s: float = _KEPT_S) -> _Value | None:
        """What is known and not too old."""
        at, value = self._found.get(name, (0.0, None))
        return value if time.monotonic() - at < longest_s else None

    def read(self, name: str) -> _Value:
        """Ask the stand-in; this blocks."""
        value = self._read(name)
        self._found[name] = (time.monotonic(), value)
        return value

    def forget(self) -> None:
        """Know nothing any more."""
        self._found.clear()


class Account:
    """Reads through boto3, so from threads, and remembers."""

    def __init__(self, endpoint: str) -> None:
        self._iam = ministack.client("iam", endpoint)
        self._lambda = ministack.client("lambda", endpoint)
        self._dynamodb = ministack.client("dynamodb", endpoint)
        self._s3 = ministack.client("s3", endpoint)
        self.roles = Kept(self._role)
        self.tables = Kept(self._keys)
        self.buckets = Kept(self._bucket_policy)
        self.functions = Kept(self._function_keys)

    def forget(self) -> None:
        """Read everything anew: somebody changed it and cannot wait."""
        for kept in (self.roles, self.tables, self.buckets, self.functions):
            kept.forget()

    def role_names(self) -> list[str]:
        """All roles there are."""
        pages = self._iam.get_paginator("list_roles").paginate()
        return [role["RoleName"] for page in pages for role in page["Roles"]]

    def trust(self, role: str) -> tuple[Statement, ...]:
        """Who may assume a role."""
        return parse("trust", self._iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])

    def _role(self, name: str) -> Role:
        role = self._iam.get_role(RoleName=name)["Role"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return Role(
            name=name,
            tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
            policies=tuple(each for document in self._documents(name) for each in _checked(*document)),
            boundary=_checked("boundary", self._managed(boundary)) if boundary else None,
        )

    def _documents(self, role: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name in self._iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield name, self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for attached in self._iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            yield attached["PolicyName"], self._managed(attached["PolicyArn"])

    def _managed(self, arn: str) -> Mapping[str, Any]:
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        document: Mapping[str, Any] = found
        return document

    def _bucket_policy(self, bucket: str) -> tuple[Statement, ...]:
        try:
            return _checked("bucket", json.loads(self._s3.get_bucket_policy(Bucket=bucket)["Policy"]))
        except ClientError:
            return ()

    def _keys(self, table: str) -> Keys:
        try:
            described = self._dynamodb.describe_table(TableName=table)["Table"]
        except ClientError:
            return {}
        indexes = {index["IndexName"]: index for index in described.get("GlobalSecondaryIndexes", [])}
        indexes |= {index["IndexName"]: index for index in described.get("LocalSecondaryIndexes", [])}
        return {name: _partition_key(each) for name, each in {"": described, **indexes}.items()}

    def _function_keys(self, _: str) -> Mapping[str, FunctionKey]:
        pages = self._lambda.get_paginator("list_functions").paginate()
        functions = [each for page in pages for each in page["Functions"]]
        found = [_function_key(each, as_invoked) for each in functions for as_invoked in _INVOKED_AS]
        return {each.key: each for each in found}


def _function_key(function: Mapping[str, Any], as_invoked: str) -> FunctionKey:
    """As ministack.core.lambda_runtime.execution_credentials makes it."""
    digest = hashlib.sha256(f"{function['FunctionArn']}{as_invoked}:{function['Role']}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    role = function["Role"].rpartition("/")[2]
    return FunctionKey(f"ASIA{digest[:16].upper()}", token, role, function["FunctionName"])


def _partition_key(described: Mapping[str, Any]) -> str:
    return next(str(each["AttributeName"]) for each in described["KeySchema"] if each["KeyType"] == "HASH")


def _checked(name: str, document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Read a policy; a condition on a key that nobody fills here would be judged as if the request had none."""
    statements = parse(name, document)
    for statement in statements:
        for _, key, _ in statement.conditions:
            if not key.startswith(_FILLED) and key not in _ALSO_FILLED:
                raise UnclearPolicy(f"{statement.name} asks for {key}, which is not known here")
    return statements
