"""The pack bites: with any one guard taken away, attacks get through that do not while it stands."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.fix_postgres import Aurora
from tests.isolation import stores_aws, stores_pool, stores_race, stores_sql, techniques
from tests.isolation.arena import Broken, Leak
from tests.isolation.conftest import stand
from tests.isolation.in_process import deployed
from tests.isolation.matrix import pairs
from tests.isolation.mutations import MUTATIONS, Mutation, copy_of_database
from tests.isolation.stores import STORE_ATTACKS, Ground

assert all((stores_aws, stores_pool, stores_race, stores_sql, techniques))
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
