"""The evaluator says what AWS's documentation says, names the statement, and refuses to guess."""

import pytest

from local.iam.evaluator import Decision, Request, context, evaluate, trusts
from local.iam.patterns import UnclearPolicy
from local.iam.policies import Statement, parse
from tests.unit.iam_cases import CASES, SESSION_TAGS, Case, Given, allow, deny

ROLE = "arn:aws:iam::123456789012:role/app"


def statements(listed: list[Given], name: str = "p") -> tuple[Statement, ...]:
    return parse(name, {"Version": "2012-10-17", "Statement": listed})


def decide(listed: list[Given], action: str, resource: str = "*", given: Given | None = None) -> Decision:
    return evaluate(Request(action, resource, context(**given or {})), statements(listed))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_documented_example_does_what_its_page_says(case: Case) -> None:
    asked = Request(case.action, case.resource, context(**case.given))

    decision = evaluate(asked, statements(case.statements), *(statements(limit) for limit in case.limits))

    assert decision.allowed is case.allowed, case.page


def test_there_are_cases_enough_and_each_names_its_page() -> None:
    assert len({case.says for case in CASES}) == len(CASES) >= 30
    assert all(case.page.endswith(".html") for case in CASES)
    assert {case.allowed for case in CASES} == {True, False}


TRUST: Given = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}
TAGGING: Given = TRUST | {
    "Action": "sts:TagSession",
    "Condition": {
        "StringLike": {"aws:RequestTag/Project": "*"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["Project", "Department"]},
    },
}


@pytest.mark.parametrize(
    ("statement", "action", "tags", "principal", "allowed"),
    [
        ([TRUST, TAGGING], "sts:TagSession", {"Project": "a"}, ROLE, True),
        ([TRUST], "sts:TagSession", {"Project": "a"}, ROLE, False),
        ([TRUST, TAGGING], "sts:TagSession", {"Project": "a", "Admin": "1"}, ROLE, False),
        ([TRUST, TAGGING], "sts:TagSession", {"Department": "a"}, ROLE, False),
        ([TRUST, TAGGING], "sts:AssumeRole", {}, "arn:aws:iam::123456789012:role/other", False),
        ([TRUST | {"Principal": {"AWS": "123456789012"}}], "sts:AssumeRole", {}, ROLE, True),
        ([TRUST | {"Principal": {"Service": "lambda.amazonaws.com"}}], "sts:AssumeRole", {}, ROLE, False),
        ([TRUST | {"Principal": "*"}], "sts:AssumeRole", {}, ROLE, True),
    ],
)
def test_a_trust_policy_has_to_name_the_caller_and_allow_the_tags(
    statement: list[Given], action: str, tags: dict[str, str], principal: str, allowed: bool
) -> None:
    named = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    given: Given = named | {"aws:TagKeys": list(tags)}
    asked = Request(action, "arn:role", context(**given), principal)

    assert trusts(asked, statements(statement)).allowed is allowed, SESSION_TAGS


def test_a_decision_names_the_statements_that_made_it() -> None:
    listed = [
        allow("s3:*") | {"Sid": "All"},
        allow("s3:Get*"),
        deny("s3:*", "arn:aws:s3:::b/secret/*") | {"Sid": "Never"},
    ]

    assert decide(listed, "s3:GetObject").by == ("p.All", "p.1")
    assert decide(listed, "s3:GetObject", "arn:aws:s3:::b/secret/x") == Decision(allowed=False, by=("p.Never",))
    assert decide(listed, "sqs:SendMessage") == Decision(allowed=False, by=())


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:*", NumericLessThanEquals={"s3:max-keys": "10"}),
        allow("s3:*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        allow("s3:*", ForAnyValue__Null={"aws:TagKeys": "true"}),
        {"Effect": "Permit", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Actions": "*", "Resource": "*"},
    ],
    ids=str,
)
def test_what_is_not_known_is_refused_and_not_guessed(statement: Given) -> None:
    with pytest.raises(UnclearPolicy):
        statements([statement])


def test_variables_in_a_policy_of_the_old_version_are_refused() -> None:
    with pytest.raises(UnclearPolicy):
        parse("p", {"Statement": [allow("s3:*", "arn:aws:s3:::b/${aws:PrincipalTag/t}/*")]})


@pytest.mark.parametrize("tag", ["*", "a*", "?"])
def test_a_tag_with_a_wildcard_is_not_filled_in(tag: str) -> None:
    with pytest.raises(UnclearPolicy):
        decide(
            [allow("s3:*", "arn:aws:s3:::b/${aws:PrincipalTag/t}/*")],
            "s3:GetObject",
            "arn:aws:s3:::b/other/x",
            {"aws:PrincipalTag/t": tag},
        )


def test_an_operator_for_one_value_does_not_choose_among_several() -> None:
    with pytest.raises(UnclearPolicy):
        decide([allow("*", StringEquals={"k:Ey": "me"})], "a:B", given={"k:Ey": ["me", "x"]})
