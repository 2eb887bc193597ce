"""Per-tenant roles, judged by their policies as they stand in the account: what a session of one tenant may ask for.

The stand-in cannot judge these itself (it denies every `dynamodb:LeadingKeys` and every tag in an ARN), so an evaluator
does, which is checked against AWS's documented examples (local/iam).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import boto3
import pytest

from local.iam.evaluator import Request, context, evaluate
from local.iam.policies import parse
from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack

REGION = "us-east-1"
TENANT = "${aws:PrincipalTag/tenant_id}"
Policies = Mapping[str, Mapping[str, Any]]
Asked = tuple[str, str, Mapping[str, Any]]


@store_attack("tenant roles", "another tenant's keys and objects", "aws_endpoint")
def tenant_roles(ground: Ground) -> None:
    policies = rendered(str(ground.stores.aws_endpoint))
    if not policies:
        pytest.skip("the deployment has no roles for one tenant at a time (tenant_sessions)")
    for role, policy in policies.items():
        ask_all(role, policy, ground.attacker, ground.victim)


def rendered(aws_endpoint: str) -> Policies:
    """The policies of all roles that are taken for one tenant at a time."""
    found = {}
    with closing(boto3.client("iam", endpoint_url=aws_endpoint, region_name=REGION)) as iam:
        for page in iam.get_paginator("list_roles").paginate():
            for role in (each["RoleName"] for each in page["Roles"] if each["RoleName"].endswith("-tenant")):
                for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                    document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                    found[f"{role}.{name}"] = json.loads(document) if isinstance(document, str) else document
    return found


def ask_all(role: str, policy: Mapping[str, Any], attacker: str, victim: str) -> None:
    """Ask for everything of the victim's that the policy speaks of, under the attacker's tag and under none."""
    spoken = [
        (action, resource)
        for statement in policy["Statement"]
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    ]
    own = [(action, *asked) for action, resource in spoken for asked in _asks(action, resource, attacker)]
    if not any(_allowed(role, policy, each, attacker) for each in own):
        raise Unfilled(f"{role} may do nothing for its own tenant, so refusing others proves nothing")
    for each in own:
        if _allowed(role, policy, each, None):
            raise Leak(f"{role} does {each} for nobody in particular")
    for each in [
        (action, *asked) for action, resource in spoken for asked in _foreign(action, resource, attacker, victim)
    ]:
        if _allowed(role, policy, each, attacker):
            raise Leak(f"{role} does {each} for {attacker}")


def _allowed(role: str, policy: Mapping[str, Any], asked: Asked, tag: str | None) -> bool:
    """What the evaluator says to a session with this tag."""
    action, resource, given = asked
    told = context(**{"aws:PrincipalTag/tenant_id": tag, "aws:SecureTransport": "true", **given})
    return evaluate(Request(action, resource, told), parse(role, policy)).allowed


def _list(given: Any) -> list[str]:
    return given if isinstance(given, list) else [given]


def _asks(action: str, resource: str, tenant: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a tenant asks of its own."""
    service = action.partition(":")[0]
    if service == "dynamodb":
        yield resource, {"dynamodb:LeadingKeys": [f"{tenant}#agent#0"]}
    elif action.startswith("s3:List"):
        yield resource, {"s3:prefix": f"{tenant}/agent/"}
    elif service == "s3":
        yield resource.replace(TENANT, tenant).replace("*", "agent/object"), {}


def _foreign(action: str, resource: str, attacker: str, victim: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same of another's: alone, together with its own, without naming any, and by names that look like its own."""
    service = action.partition(":")[0]
    if service == "dynamodb":
        yield resource, {}
        for keys in (
            [f"{victim}#agent#0"],
            [f"{attacker}#a#0", f"{victim}#a#0"],
            [attacker],
            [f"{attacker}-2#a#0"],
            [""],
        ):
            yield resource, {"dynamodb:LeadingKeys": keys}
    elif action.startswith("s3:List"):
        yield resource, {}
        for prefix in ("", f"{victim}/", attacker, f"{attacker}-2/"):
            yield resource, {"s3:prefix": prefix}
    elif service == "s3":
        bucket = resource.partition("/")[0]
        for tenant in (victim, f"{attacker}-2", "agent"):
            for path in (f"{tenant}/agent/object", f"{tenant}/agent/bodies/state/owner/1", f"!uploads/{tenant}/1"):
                yield f"{bucket}/{path}", {}
        yield f"{bucket}/object", {}


def without_conditions(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy with nothing left that knows of keys or prefixes."""
    return {
        **policy,
        "Statement": [{k: v for k, v in each.items() if k != "Condition"} for each in policy["Statement"]],
    }
