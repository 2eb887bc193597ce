"""What IAM says to a request, and which statement made it say so.

One account, no organization: an explicit deny wins, then the role's own policies and, where there are any, its
boundary and the policies of its session must each allow (AWS IAM user guide, "Policy evaluation logic").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.iam import conditions
from local.iam.patterns import Context, Unresolved, action_matches, arn_matches
from local.iam.policies import Statement


@dataclass(frozen=True)
class Request:
    """One action on one resource; `principal` is the ARN of who asks, for policies that name somebody."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principal: str = ""


@dataclass(frozen=True)
class Decision:
    """Yes or no. `by` names what allowed, or what denied; nothing, when nothing allowed."""

    allowed: bool
    by: tuple[str, ...]


def context(**given: Any) -> dict[str, tuple[str, ...]]:
    """A request's condition keys as the evaluator takes them: `context(**{"s3:prefix": "a/"})`."""
    return {
        key.lower(): tuple(value) if isinstance(value, list | tuple) else (str(value),)
        for key, value in given.items()
        if value is not None and value not in ([], ())
    }


def evaluate(
    request: Request, identity: Sequence[Statement], *limits: Sequence[Statement], resource: Sequence[Statement] = ()
) -> Decision:
    """Decide: `identity` is what the role may do, each of `limits` narrows it, `resource` may only deny here."""
    denied = _names((*identity, *resource, *(each for limit in limits for each in limit)), request, allows=False)
    if denied:
        return Decision(allowed=False, by=denied)
    allowed = _names(identity, request, allows=True)
    if not allowed or not all(_names(limit, request, allows=True) for limit in limits):
        return Decision(allowed=False, by=())
    return Decision(allowed=True, by=allowed)


def trusts(request: Request, trust: Sequence[Statement]) -> Decision:
    """Decide by a policy that names its principals: who may assume a role."""
    return evaluate(request, [each for each in trust if each.principals])


def _names(statements: Iterable[Statement], request: Request, *, allows: bool) -> tuple[str, ...]:
    return tuple(each.name for each in statements if each.allows == allows and applies(each, request))


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement speaks of a request. One that a variable without a value makes void does not."""
    try:
        return (
            _names_action(statement, request)
            and _names_principal(statement, request)
            and _names_resource(statement, request)
            and conditions.hold(statement.conditions, request.context)
        )
    except Unresolved:
        return False


def _names_action(statement: Statement, request: Request) -> bool:
    if statement.but_actions:
        return not any(action_matches(each, request.action) for each in statement.but_actions)
    return any(action_matches(each, request.action) for each in statement.actions)


def _names_resource(statement: Statement, request: Request) -> bool:
    if statement.but_resources:
        return not _means(statement.but_resources, request)
    if not statement.resources:
        return bool(statement.principals)  # a trust policy speaks of the role that it belongs to
    return _means(statement.resources, request)


def _means(patterns: Iterable[str], request: Request) -> bool:
    return any(arn_matches(each, request.resource, request.context) for each in patterns)


def _names_principal(statement: Statement, request: Request) -> bool:
    if not statement.principals:
        return True
    return any(_is(kind, named, request.principal) for kind, named in statement.principals)


def _is(kind: str, named: str, principal: str) -> bool:
    if kind != "AWS" or not principal.startswith("arn:"):
        return named == principal
    account = principal.split(":")[4]
    return named in {"*", principal, account, f"arn:aws:iam::{account}:root"}
