"""A permission is needed by the tests that would be refused without it, and by no other."""

from local.iam.account import Role
from local.iam.evaluator import context
from local.iam.policies import Statement, parse
from local.iam.proof import Exempt, Permission, needs, needs_of_trust
from local.iam.records import Record
from tests.unit.iam_cases import Given, allow, deny

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/t"
OWN: Given = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "${aws:PrincipalTag/tenant_id}#*"}}
FUNCTION = "arn:aws:iam::000000000000:role/app"


def policies(*listed: Given) -> tuple[Statement, ...]:
    return parse(
        "p", {"Version": "2012-10-17", "Statement": [{"Sid": f"S{n}", **each} for n, each in enumerate(listed)]}
    )


def role(*listed: Given) -> Role:
    return Role("app", {}, policies(*listed), None)


def record(
    test: str, action: str, resource: str = TABLE, given: Given | None = None, *, allowed: bool = True
) -> Record:
    asked = context(**{"aws:PrincipalTag/tenant_id": "acme", "aws:PrincipalArn": FUNCTION, **(given or {})})
    return Record(test, "app", action.partition(":")[0], action, resource, asked, allowed, ("p.S0",), None)


def test_the_tests_behind_an_action_are_named_each_once() -> None:
    asked = [
        record("b", "dynamodb:GetItem"),
        record("a", "dynamodb:GetItem"),
        record("a", "dynamodb:GetItem", f"{TABLE}2"),
    ]

    found = needs(role(allow(["dynamodb:GetItem", "dynamodb:Scan"], f"{TABLE}*")), asked)

    assert found == {
        Permission("app", "p.S0", "dynamodb:GetItem"): ["a", "b"],
        Permission("app", "p.S0", "dynamodb:Scan"): [],
    }


def test_what_two_statements_allow_is_needed_in_neither() -> None:
    found = needs(role(allow("dynamodb:PutItem", TABLE), allow("dynamodb:PutItem")), [record("a", "dynamodb:PutItem")])

    assert list(found.values()) == [[], []]


def test_what_was_refused_needs_nothing() -> None:
    asked = [record("a", "dynamodb:PutItem", allowed=False)]

    assert needs(role(allow("dynamodb:PutItem")), asked) == {Permission("app", "p.S0", "dynamodb:PutItem"): []}


def test_a_deny_is_reported_for_no_request_is_refused_without_it() -> None:
    found = needs(role(allow("*"), deny("ec2:RunInstances")), [record("a", "dynamodb:GetItem")])

    assert found[Permission("app", "p.S1", "ec2:RunInstances")] == []


def test_a_condition_is_met_by_what_is_left_of_an_id() -> None:
    asked = [record("a", "dynamodb:GetItem", given={"dynamodb:LeadingKeys": ["acme#~"]})]

    assert needs(role(allow("dynamodb:GetItem", **OWN)), asked) == {
        Permission("app", "p.S0", "dynamodb:GetItem"): ["a"]
    }


def test_who_takes_a_role_needs_its_trust() -> None:
    trust: Given = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"AWS": FUNCTION},
        "Condition": {"StringLike": {"aws:RequestTag/tenant_id": "?*"}},
    }
    arn = "arn:aws:iam::000000000000:role/app-tenant"
    tag = {"aws:RequestTag/tenant_id": "acme"}
    asked = [record("a", "sts:AssumeRole", arn, tag), record("b", "sts:TagSession", arn, tag)]

    found = needs_of_trust("app-tenant", policies(trust), asked)

    assert found == {
        Permission("app-tenant", "p.S0", "sts:AssumeRole"): ["a"],
        Permission("app-tenant", "p.S0", "sts:TagSession"): ["b"],
    }


def test_an_exception_names_roles_by_pattern_and_one_statement() -> None:
    exempt = Exempt("memory-*", "function.Logs", ("logs:PutLogEvents",), "a reason")

    assert exempt.covers(Permission("memory-working", "function.Logs", "logs:PutLogEvents"))
    assert not exempt.covers(Permission("memory-working", "function.Logs", "logs:CreateLogStream"))
    assert not exempt.covers(Permission("memory-working", "function.Usage", "logs:PutLogEvents"))
    assert not exempt.covers(Permission("other", "function.Logs", "logs:PutLogEvents"))
    assert Exempt("*", "function.Logs", ("*",), "a reason").covers(Permission("r", "function.Logs", "logs:Any"))
