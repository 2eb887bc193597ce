"""The pack bites: with any one guard taken away, attacks get through that do not while it stands."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.fix_postgres import Aurora
from tests.isolation import store_attacks, stores_iam, techniques
from tests.isolation.arena import Broken, Leak
from tests.isolation.conftest import stand
from tests.isolation.in_process import deployed
from tests.isolation.matrix import pairs
from tests.isolation.mutations import MUTATIONS, Mutation
from tests.isolation.stores import STORE_ATTACKS, Ground
from tests.isolation.taking_away import copy_of_database

assert all((store_attacks, techniques))
PAIRS = {str(each): each for each in pairs()}
STORES = {str(each): each for each in STORE_ATTACKS}


@pytest.fixture
def mutant(request: pytest.FixtureRequest, moto: str, migrated: Aurora) -> Iterator[Ground]:
    """A deployment without the guard."""
    mutation: Mutation = request.param
    with ExitStack() as stack:
        superuser = stack.enter_context(psycopg.connect(migrated.superuser_dsn, autocommit=True))
        stack.enter_context(copy_of_database(superuser, "mutant", mutation.sql))
        stack.enter_context(mutation.code())
        deployment = stack.enter_context(deployed(moto, migrated, "mutant"))
        ground = stand(deployment.door, deployment.tenants, deployment.keys, deployment.stores)
        stack.enter_context(mutation.later(ground))
        yield ground


def gets_through(attack: str, ground: Ground) -> bool:
    """Whether the attack finds a hole; a breakdown is none."""
    try:
        if attack in PAIRS:
            PAIRS[attack].run(ground.arena)
        else:
            STORES[attack].run(ground)
    except Broken:
        return False
    except Leak:
        return True
    return False


@pytest.mark.parametrize(
    ("mutant", "mutation"), [(each, each) for each in MUTATIONS], ids=[m.guard for m in MUTATIONS], indirect=["mutant"]
)
def test_a_missing_guard_is_noticed(mutant: Ground, mutation: Mutation) -> None:
    # First what another layer stops: an attack that gets through may leave the victim's records changed.
    held = {attack: gets_through(attack, mutant) for attack in mutation.held}
    caught = {attack: gets_through(attack, mutant) for attack in mutation.caught}

    assert caught == dict.fromkeys(mutation.caught, True)
    assert held == dict.fromkeys(mutation.held, False)
    assert caught or held


def test_what_mutations_name_exists() -> None:
    named = {attack for each in MUTATIONS for attack in (*each.caught, *each.held)}

    assert named <= PAIRS.keys() | STORES.keys()


TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/memory"
BUCKET = "arn:aws:s3:::archive"
TENANT = "${aws:PrincipalTag/tenant_id}"
ITEMS = {
    "Effect": "Allow",
    "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
    "Resource": [TABLE, f"{TABLE}/index/*"],
    "Condition": {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    },
}
OBJECTS = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/{TENANT}/*"]}
BODIES = {
    "Effect": "Allow",
    "Action": ["s3:PutObject", "s3:DeleteObjectVersion"],
    "Resource": [f"{BUCKET}/{TENANT}/*/bodies/*", f"{BUCKET}/!uploads/{TENANT}/*"],
}
LISTING = {
    "Effect": "Allow",
    "Action": ["s3:ListBucket"],
    "Resource": [BUCKET],
    "Condition": {"StringLike": {"s3:prefix": [f"{TENANT}/*"]}},
}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_a_role_for_one_tenant_at_a_time_reaches_no_other() -> None:
    stores_iam.ask_all("as it should be", policy(ITEMS, OBJECTS, BODIES, LISTING), "acme", "globex")


@pytest.mark.parametrize(
    ("guard", "statement"),
    [
        ("LeadingKeys", ITEMS | {"Condition": {}}),
        (
            "LeadingKeys, but no request without keys",
            ITEMS | {"Condition": {"Null": {"dynamodb:LeadingKeys": "false"}}},
        ),
        ("Null", ITEMS | {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}#*"]}}}),
        ("the delimiter", ITEMS | {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}*"]}}}),
        ("ForAllValues", ITEMS | {"Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": [f"{TENANT}#*"]}}}),
        ("the tenant's prefix of objects", OBJECTS | {"Resource": [f"{BUCKET}/*"]}),
        ("the tenant's place of uploads", OBJECTS | {"Resource": [f"{BUCKET}/!uploads/*"]}),
        ("the tenant before bodies", OBJECTS | {"Resource": [f"{BUCKET}/*/bodies/*"]}),
        ("s3:prefix", LISTING | {"Condition": {}}),
    ],
)
def test_a_role_that_lacks_a_condition_is_noticed(guard: str, statement: dict[str, Any]) -> None:
    with pytest.raises(Leak):
        stores_iam.ask_all(f"without {guard}", policy(statement), "acme", "globex")
