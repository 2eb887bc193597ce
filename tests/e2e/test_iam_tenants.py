"""The tenant roles as Terraform applied them, by the evaluator: one tenant's keys and objects, whatever is asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.iam.account import Account, Role
from local.iam.evaluator import Request, context, evaluate, trusts
from local.stack import Stack
from tests.isolation import stores_iam
from tests.isolation.arena import Leak

Given = dict[str, Any]

SUFFIX = "-tenant"
FUNCTIONS = {"working", "episodic", "semantic", "knowledge", "unified", "privacy"}
LEADING = "dynamodb:LeadingKeys"
FOREIGN_KEYS = [["globex#a#0"], ["acme-2#a#0"], ["acm#a#0"], ["acme"], ["#acme#"], ["acme#a#0", "globex#a#0"]]
FOREIGN_OBJECTS = [
    f"{place}{key}"
    for place in ("", "!uploads/")
    for key in ("globex/a", "globex/a/bodies/a", "acme-2/a", "acme-2/a/bodies/a", "acme", "a")
]
FOREIGN_PREFIXES = ["globex/", "acme", "acme-2/", "", None]


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    """The roles as they are."""
    return Account(stack.aws_endpoint_url)


@pytest.fixture(scope="module")
def roles(stack: Stack, account: Account) -> dict[str, Role]:
    """The tenant roles, by function."""
    names = [name for name in account.role_names() if name.startswith(stack.deployment_name)]
    prefix = f"{stack.deployment_name}-"
    return {
        name.removesuffix(SUFFIX).removeprefix(prefix): account.roles.read(name)
        for name in names
        if name.endswith(SUFFIX)
    }


def allowed(role: Role, action: str, resource: str, given: Given | None = None, *, tenant: str | None = "acme") -> bool:
    asked = context(**{"aws:PrincipalTag/tenant_id": tenant, **(given or {})})
    return evaluate(Request(action, resource, asked), role.policies).allowed


def permissions(role: Role, service: str) -> Iterator[tuple[str, str]]:
    """Every action of a service with every resource that a statement puts beside it."""
    for statement in role.policies:
        for action in statement.actions:
            if action.startswith(f"{service}:"):
                yield from ((action, resource) for resource in statement.resources)


def test_every_function_that_works_for_tenants_has_a_tenant_role(roles: dict[str, Role]) -> None:
    assert roles.keys() >= FUNCTIONS


def test_no_statement_is_about_anything_but_items_objects_and_their_key(roles: dict[str, Role]) -> None:
    actions = {action for role in roles.values() for statement in role.policies for action in statement.actions}

    assert {action.partition(":")[0] for action in actions} <= {"dynamodb", "s3", "kms"}
    assert not [action for action in actions if "*" in action or "Scan" in action or "PartiQL" in action]


@pytest.mark.parametrize("keys", FOREIGN_KEYS, ids=str)
def test_items_are_the_tenants_own(roles: dict[str, Role], keys: list[str]) -> None:
    for role in roles.values():
        for action, table in permissions(role, "dynamodb"):
            resource = table.replace("*", "by_session")
            assert allowed(role, action, resource, {LEADING: ["acme#a#0"]})
            assert not allowed(role, action, resource, {LEADING: keys})


def test_items_without_leading_keys_or_for_nobody_are_refused(roles: dict[str, Role]) -> None:
    for role in roles.values():
        for action, table in permissions(role, "dynamodb"):
            assert not allowed(role, action, table.replace("*", "by_session"))
            assert not allowed(role, action, table.replace("*", "by_session"), {LEADING: ["acme#a#0"]}, tenant=None)


def test_objects_and_listings_are_the_tenants_own(roles: dict[str, Role]) -> None:
    for role in roles.values():
        for action, resource in permissions(role, "s3"):
            bucket, _, objects = resource.partition("/")
            if objects:
                own = resource.replace(stores_iam.TENANT, "acme").replace("*", "a")
                assert allowed(role, action, own)
                assert not any(allowed(role, action, f"{bucket}/{key}") for key in FOREIGN_OBJECTS)
                assert not allowed(role, action, own, tenant=None)
            else:
                assert allowed(role, action, bucket, {"s3:prefix": "acme/agent/"})
                assert not any(allowed(role, action, bucket, {"s3:prefix": each}) for each in FOREIGN_PREFIXES)


@pytest.mark.parametrize(
    ("caller", "tags", "taken"),
    [
        ("own", {"tenant_id": "acme"}, True),
        ("another", {"tenant_id": "acme"}, False),
        ("own", {}, False),
        ("own", {"tenant_id": "acme", "project": "x"}, False),
        ("own", {"project": "x"}, False),
        ("own", {"tenant_id": "acme/x"}, False),
        ("own", {"tenant_id": "a" * 64}, False),
        ("own", {"tenant_id": "KEY"}, False),  # records of API keys lie under KEY#
    ],
)
def test_a_tenant_role_is_taken_by_its_function_for_a_named_tenant(
    roles: dict[str, Role], account: Account, caller: str, tags: dict[str, str], taken: bool
) -> None:
    named = {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    asked = context(**named, **{"aws:TagKeys": list(tags)})
    for role in roles.values():
        own = role.name.removesuffix(SUFFIX) if caller == "own" else "memory-local-authorizer"
        by = f"arn:aws:iam::000000000000:role/{own}"
        actions = ("sts:AssumeRole", "sts:TagSession")
        said = [trusts(Request(action, role.name, asked, by), account.trust(role.name)).allowed for action in actions]
        assert said == [taken, taken]


def test_the_functions_own_roles_reach_no_record_themselves(roles: dict[str, Role], account: Account) -> None:
    for role in roles.values():
        own = account.roles.read(role.name.removesuffix(SUFFIX))
        assert not [*permissions(own, "s3")]
        # One row of the control table is nobody's record: which embedding models are in use.
        for action, table in permissions(own, "dynamodb"):
            assert action == "dynamodb:GetItem"
            assert allowed(own, action, table, {LEADING: ["EMBEDDINGS"]})
            assert not any(allowed(own, action, table, {LEADING: keys}) for keys in (*FOREIGN_KEYS, ["acme#a#0"]))


def test_the_attacks_hold_and_notice_that_leading_keys_are_gone(stack: Stack) -> None:
    policies = stores_iam.rendered(stack.aws_endpoint_url)
    about_items = {name: policy for name, policy in policies.items() if LEADING in str(policy)}
    assert len(about_items) >= len(FUNCTIONS)

    for name, policy in policies.items():
        stores_iam.ask_all(name, policy, "acme", "globex")
    for name, policy in about_items.items():
        with pytest.raises(Leak):
            stores_iam.ask_all(name, stores_iam.without_conditions(policy), "acme", "globex")
