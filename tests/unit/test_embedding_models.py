"""Which models are used: the steps of a change, how long a function goes by what it knows, and who is counted."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent_memory.domain.embedding import Embedder, space
from agent_memory.domain.embedding_models import KNOWN_S, SETTLED_S, Plan, Space, read_space
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict, StoreUnavailable
from agent_memory.service.embedding_models import EmbeddingModels, Plans, attempt_all
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder
from tests.fakes.embedding_models import InMemoryPlanStore

OLD, NEW = Space("words", 128), Space("other words", 128)


class Known:
    """Two models; each notes for whom it was made."""

    def __init__(self) -> None:
        self.store = InMemoryPlanStore()
        self.clock = Clock()
        self.made: list[tuple[Space, bool]] = []
        self.models = EmbeddingModels(Plans(self.store, OLD, self.clock), self.make)

    def make(self, wanted: Space, counted: bool) -> Embedder | None:
        self.made.append((wanted, counted))
        return WordEmbedder(wanted.model, turn=0 if wanted == OLD else 64) if wanted in (OLD, NEW) else None

    def change(self, plan: Plan) -> None:
        assert self.store.put(plan, self.store.plan)


@pytest.fixture
def known() -> Known:
    return Known()


def test_a_space_has_one_name() -> None:
    assert read_space(str(OLD)) == OLD
    assert space(WordEmbedder("words")) == str(OLD)


def test_without_a_plan_the_deployment_has_its_model(known: Known) -> None:
    assert space(known.models.served()) == str(OLD)
    assert [space(each) for each in known.models.written()] == [str(OLD)]


def test_each_stage_says_what_is_searched_and_what_is_written(known: Known) -> None:
    stages: list[tuple[str, Space, list[Space]]] = [
        ("writing", OLD, [OLD, NEW]),
        ("serving", NEW, [NEW, OLD]),
        ("leaving", NEW, [NEW]),
        ("settled", NEW, [NEW]),
    ]
    for plan, (stage, served, written) in zip(_steps(Plan(OLD), known.clock), stages, strict=True):
        assert (plan.stage, plan.served, list(plan.written)) == (stage, served, written)
        known.change(plan)
        known.clock.turn(seconds=KNOWN_S)
        assert space(known.models.served()) == str(served)
        assert [space(each) for each in known.models.written()] == [str(each) for each in written]


def _steps(plan: Plan, clock: Clock) -> Iterator[Plan]:
    yield (plan := plan.started(NEW, clock.turn(seconds=1)))
    yield (plan := plan.cut_over(clock.turn(seconds=1)))
    yield (plan := plan.left(clock.turn(seconds=1)))
    yield plan.settled(clock.turn(seconds=1))


def test_there_is_a_way_back_until_the_end(known: Known) -> None:
    started = Plan(OLD).started(NEW, known.clock())

    assert started.cut_over(known.clock()).back(known.clock()) == started
    assert started.left(known.clock()).served == OLD


@pytest.mark.parametrize(
    ("stage", "steps"),
    [
        ("settled", ["cut_over", "back", "left", "settled"]),
        ("writing", ["back", "settled"]),
        ("serving", ["cut_over", "settled"]),
        ("leaving", ["cut_over", "back", "left"]),
    ],
)
def test_a_step_out_of_order_is_refused(known: Known, stage: str, steps: list[str]) -> None:
    by_stage = {"settled": Plan(OLD)} | {plan.stage: plan for plan in [*_steps(Plan(OLD), known.clock)][:3]}
    for step in steps:
        with pytest.raises(Conflict):
            getattr(by_stage[stage], step)(known.clock())
    if stage != "settled":
        with pytest.raises(Conflict):
            by_stage[stage].started(NEW, known.clock())


def test_the_model_of_today_is_no_next_one(known: Known) -> None:
    with pytest.raises(Conflict):
        Plan(OLD).started(OLD, known.clock())


def test_a_change_has_settled_once_nobody_can_work_by_what_was_before(known: Known) -> None:
    plan = Plan(OLD).started(NEW, known.clock())

    assert plan.settles_in(known.clock()) == SETTLED_S > KNOWN_S
    assert plan.settles_in(known.clock() + timedelta(seconds=SETTLED_S)) == 0
    assert Plan(OLD).settles_in(known.clock()) == 0


def test_a_function_asks_for_the_plan_twice_a_minute_and_not_with_each_request(known: Known) -> None:
    for _ in range(100):
        known.models.served()
    assert known.store.reads == 1

    known.clock.turn(seconds=KNOWN_S - 1)
    known.models.written()
    assert known.store.reads == 1
    known.clock.turn(seconds=1)
    known.models.written()
    assert known.store.reads == 2


def test_a_clock_that_was_set_back_makes_nothing_known_longer(known: Known) -> None:
    known.models.served()
    known.clock.turn(hours=-1)
    known.models.served()
    assert known.store.reads == 2


def test_nobody_goes_by_a_plan_that_has_become_too_old(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    known.models.served()

    def away() -> Plan | None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(known.store, "get", away)
    known.clock.turn(seconds=KNOWN_S - 1)
    assert known.models.served()
    known.clock.turn(seconds=1)
    with pytest.raises(StoreUnavailable):
        known.models.served()


def test_only_the_model_that_is_searched_counts_for_the_tenant(known: Known) -> None:
    known.change(Plan(OLD).started(NEW, known.clock()))
    known.models.written()
    assert known.made == [(OLD, True), (NEW, False)]

    known.change(known.store.plan.cut_over(known.clock.turn(seconds=KNOWN_S)) if known.store.plan else Plan(OLD))
    known.models.written()
    assert known.made[2:] == [(NEW, True), (OLD, False)]


def test_a_model_that_the_deployment_may_not_call_gives_no_vectors_and_no_error_of_its_own(known: Known) -> None:
    known.change(Plan(OLD).started(Space("unheard of", 7), known.clock()))

    served, unheard = known.models.written()

    assert attempt_all([served, unheard], ["a", "b"])[1] == [None, None]
    assert unheard.embed([]) == []
    with pytest.raises(StoreUnavailable):
        unheard.embed(["a"])


def test_both_models_are_asked_and_what_the_second_one_lacks_fails_nobody() -> None:
    first, second, third = WordEmbedder("a"), WordEmbedder("b", turn=64), WordEmbedder("c")
    third.attempt = lambda _: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    second.away = True

    had = attempt_all([first, second, third], ["tea", "coffee"])

    assert None not in had[0]
    assert had[1:] == [[None, None]] * 2


def test_what_the_first_model_refuses_is_refused() -> None:
    first = WordEmbedder("a", Tally())
    first.attempt = lambda _: 1 / 0  # type: ignore[assignment,method-assign,return-value]

    with pytest.raises(ZeroDivisionError):
        attempt_all([first, WordEmbedder("b")], ["tea"])
