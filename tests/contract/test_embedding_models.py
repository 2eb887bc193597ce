"""Where the plan of the embedding models stands: in memory and in the control table."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent_memory.adapters.dynamodb_embedding_models import DynamoPlanStore
from agent_memory.domain.embedding_models import Plan, PlanStore, Space
from tests.fakes.clock import Clock
from tests.fakes.embedding_models import InMemoryPlanStore

if TYPE_CHECKING:
    from tests.fix_aws import Aws

OLD, NEW = Space("amazon.titan-embed-text-v2:0", 1024), Space("amazon.titan-embed-text-v2:1", 512)


@pytest.fixture(params=["memory", "dynamodb"])
def plans(request: pytest.FixtureRequest) -> Callable[[], PlanStore]:
    """The store, as often as it is asked for as another function sees it."""
    if request.param == "memory":
        store = InMemoryPlanStore()
        return lambda: store
    aws: Aws = request.getfixturevalue("aws")
    client = aws.client()
    client.call(
        "DeleteItem",
        {"TableName": aws.control_table, "Key": {"pk": {"S": "EMBEDDINGS"}, "sk": {"S": "EMBEDDINGS"}}},
    )
    return lambda: DynamoPlanStore(aws.client(), aws.control_table)


def test_there_is_no_plan_before_the_first_change(plans: Callable[[], PlanStore]) -> None:
    assert plans().get() is None


def test_every_step_is_seen_by_the_next_function(plans: Callable[[], PlanStore], clock: Clock) -> None:
    plan, before = Plan(OLD).started(NEW, clock()), Plan(OLD)
    for step in ("cut_over", "back", "cut_over", "left", "settled"):
        assert plans().put(plan, before)
        assert plans().get() == plan
        plan, before = getattr(plan, step)(clock.turn(seconds=91)), plan

    assert plans().put(plan, before)
    assert plans().get() == Plan(NEW, changed_at=clock())


def test_of_two_who_change_one_plan_one_wins(plans: Callable[[], PlanStore], clock: Clock) -> None:
    started = Plan(OLD).started(NEW, clock())
    assert plans().put(started, Plan(OLD))
    assert not plans().put(replace(started, other=Space("another", 256)), None)
    cut, left = started.cut_over(clock.turn(seconds=1)), started.left(clock())

    assert plans().put(cut, started)
    assert not plans().put(left, started)
    assert plans().get() == cut


def test_a_change_that_is_made_once_more_is_made(plans: Callable[[], PlanStore], clock: Clock) -> None:
    started = Plan(OLD).started(NEW, clock())
    assert plans().put(started, None)
    assert plans().put(started, None), "the first answer may have been lost on the way"
