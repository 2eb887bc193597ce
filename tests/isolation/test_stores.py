"""The stores themselves, where the target lets us reach them."""

import pytest

from tests.isolation import store_attacks
from tests.isolation.conftest import Judge
from tests.isolation.stores import STORE_ATTACKS, Ground, StoreAttack

assert store_attacks


@pytest.mark.parametrize("attack", STORE_ATTACKS, ids=str)
def test_the_wall_holds(attack: StoreAttack, ground: Ground, judge: Judge) -> None:
    def run() -> None:
        if lacking := attack.lacks(ground.stores):
            pytest.skip(f"the target names no {', no '.join(lacking)}")
        attack.run(ground)

    judge(attack.store, attack.name, run)
