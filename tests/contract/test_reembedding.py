"""The change of the embedding model: what it does, what every search finds meanwhile, and what is left of an operator
who was killed anywhere."""

from typing import Any

import pytest

from agent_memory.domain.embedding_models import KNOWN_S, Plan
from agent_memory.errors import Conflict
from tests.contract.interrupted import Killed, Points, die
from tests.contract.memories import CASHEWS, CRANE, PIANO
from tests.contract.reembedding import NEW, OLD, STEPS, Deployment, check, step

TEXTS = [PIANO, CASHEWS, CRANE, "Ana plays the viola.", "The quarterly budget is short.", "A llama ate the lettuce."]
WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet")


@pytest.fixture
def stored(deployment: Deployment) -> Deployment:
    function = deployment.function()
    for text in TEXTS:
        function.store(text)
    return deployment


def test_a_change_goes_from_one_model_to_the_other(stored: Deployment) -> None:
    operator, function = stored.operator(), stored.function()
    vectors = stored.tally.vectors

    assert operator.status()["searched"] == str(OLD)
    assert operator.start()["written"] == [str(OLD), str(NEW)]
    assert operator.backfill() | {"changed_at": None} == {
        "stage": "writing", "searched": str(OLD), "written": [str(OLD), str(NEW)], "leaving": None, "changed_at": None,
        "looked_at": 6, "filled": 6, "missing": 0,
    }  # fmt: skip
    assert operator.backfill()["filled"] == 0
    assert operator.compare()["recall"] == 1.0
    assert operator.cut_over(0.9, anyway=False)["searched"] == str(NEW)
    stored.clock.turn(seconds=KNOWN_S)
    check([function], TEXTS)
    done = operator.finish()

    assert (done["stage"], done["searched"], done["written"]) == ("settled", str(NEW), [str(NEW)])
    assert done["vectors_removed"] == 6
    check([function, stored.function()], TEXTS)
    assert stored.tally.vectors == vectors, "a text counts once, whatever it has vectors of"
    for name in STEPS[2:4]:
        with pytest.raises(Conflict):
            step(operator, name)
    assert operator.finish()["stage"] == "settled"


def test_every_search_finds_everything_by_one_model_at_every_moment(stored: Deployment) -> None:
    texts, functions = list(TEXTS), [stored.function() for _ in range(3)]
    check(functions, texts)

    def look() -> None:
        """Between any two calls of the operator: all functions search, one of them stores; one cold one comes."""
        check([*functions, stored.function()], texts)
        text = f"{WORDS[len(texts) % 10]} {len(texts)} {WORDS[len(texts) % 7]}"
        functions[len(texts) % 3].store(text)
        texts.append(text)
        stored.clock.turn(seconds=7)

    class Always(Points):
        def reach(self) -> None:
            super().reach()
            if self.passed % 6 == 0:
                look()

    points = Always(0, lambda: None)
    for name in STEPS:
        step(stored.operator(points), name)
        look()

    assert points.passed > 30
    stored.clock.turn(seconds=KNOWN_S)
    check([*functions, stored.function()], texts)
    window = stored.late.window(stored.tenant, [str(OLD)], stored.clock(), None, awaiting=False)
    assert all(text.has[str(OLD)] == 0 for text in window.lacking), "nothing is left of the model before"


def test_whoever_is_killed_anywhere_begins_again_and_ends_right(
    stored: Deployment, request: pytest.FixtureRequest
) -> None:
    every = 1 if "memory" in request.node.callspec.id else 9
    texts, chosen = list(TEXTS), 1
    functions = [stored.function(), stored.function()]
    while True:
        _begin_anew(stored)
        points = Points(chosen, die)
        for name in STEPS:
            try:
                step(stored.operator(points), name)
            except Killed:
                check([*functions, stored.function()], texts)
                texts.append(f"{WORDS[chosen % 10]} {chosen} {WORDS[chosen // 10 % 10]}")
                functions[0].store(texts[-1])
                step(stored.operator(), name)
            check([*functions, stored.function()], texts)
        plan = stored.plans.get()
        assert plan is not None
        assert (plan.stage, plan.served) == ("settled", stored.deployed[1])
        if points.is_over:
            break
        chosen += every
        for text in texts[len(TEXTS) :]:
            function = stored.function()
            function.delete(function.search(text, mode="vector", top_k=1)[0]["id"])
        texts = list(TEXTS)
    assert chosen > 20


def _begin_anew(stored: Deployment) -> None:
    """The other way round, as an operator would after a change: the next model is the one before."""
    plan = stored.plans.get()
    if plan is not None:
        stored.deployed = (plan.served, stored.deployed[0])
        stored.clock.turn(seconds=KNOWN_S)


def test_a_cutover_waits_for_the_functions_that_do_not_know_the_step_before(stored: Deployment) -> None:
    late = stored.function()
    late.search("piano")  # knows the plan as it was
    stored.operator().start()
    stored.clock.turn(seconds=KNOWN_S - 1)
    late.store("Only the old model hears of this.")

    stored.operator().cut_over(0.9, anyway=False)

    assert any("waiting" in line for line in stored.told)
    stored.clock.turn(seconds=KNOWN_S)
    check([late, stored.function()], [*TEXTS, "Only the old model hears of this."])


def test_a_plan_that_changes_while_a_text_is_embedded_holds_for_it(
    stored: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = stored.function()
    function.search("piano")
    attempt = stored.models[OLD].attempt

    def start_meanwhile(texts: Any) -> Any:
        monkeypatch.setattr(stored.models[OLD], "attempt", attempt)
        stored.operator().start()
        stored.clock.turn(seconds=KNOWN_S)
        return attempt(texts)

    monkeypatch.setattr(stored.models[OLD], "attempt", start_meanwhile)
    kept = function.store("This took its time.")

    (text,) = stored.late.read(stored.tenant, [kept.memory.id], [str(OLD), str(NEW)], stored.clock())
    assert text.has == {str(OLD): 1, str(NEW): 1}


def test_what_the_next_model_does_not_give_is_pending_and_keeps_the_cutover_back(stored: Deployment) -> None:
    stored.operator().start()
    stored.models[NEW].away = True
    function = stored.function()
    accepted = function.store("Known to one of two models.")

    assert accepted.status == 202
    assert function.found("Known to one of two models.", mode="vector", top_k=1) == ["Known to one of two models."]
    with pytest.raises(Exception, match=r"did not answer|could not be made"):
        stored.operator().cut_over(0.9, anyway=False)
    assert stored.plans.get() == Plan(OLD, "writing", NEW, stored.plans.get().changed_at)  # type: ignore[union-attr]

    stored.models[NEW].away = False
    function.do_jobs()
    assert not function.semantic.get(stored.tenant, accepted.memory.id).pending
    assert stored.operator().cut_over(0.9, anyway=False)["stage"] == "serving"


def test_a_model_that_finds_too_little_is_not_cut_over_to(stored: Deployment) -> None:
    stored.models[NEW].attempt = lambda texts: [_nonsense(text) for text in texts]  # type: ignore[method-assign]
    stored.operator().start()

    with pytest.raises(Conflict, match="finds"):
        stored.operator().cut_over(1.01, anyway=False)
    assert stored.operator().cut_over(1.01, anyway=True)["stage"] == "serving"


def _nonsense(text: str) -> tuple[float, ...]:
    return (1.0, *(0.0 for _ in range(126)), float(len(text)))


def test_there_is_a_way_back_and_one_out(stored: Deployment) -> None:
    functions, operator = [stored.function(), stored.function()], stored.operator()
    for name in ("start", "cut_over", "back"):
        step(operator, name)
        stored.clock.turn(seconds=13)
        check([*functions, stored.function()], TEXTS)
    with pytest.raises(Conflict):
        operator.finish()

    done = operator.abandon()

    assert (done["stage"], done["searched"], done["vectors_removed"]) == ("settled", str(OLD), 6)
    check([*functions, stored.function()], TEXTS)
    assert operator.abandon()["stage"] == "settled"


def test_a_change_that_was_given_up_leaves_nothing_pending(stored: Deployment) -> None:
    stored.operator().start()
    stored.models[NEW].away = True
    function = stored.function()
    accepted = function.store("Waits for a model that never comes.")

    stored.operator().abandon()

    assert not function.semantic.get(stored.tenant, accepted.memory.id).pending
    function.do_jobs()


@pytest.mark.parametrize("deployed", [(OLD,), (NEW, OLD)])
def test_a_start_needs_the_model_of_today_and_a_next_one(stored: Deployment, deployed: Any) -> None:
    stored.operator().start()
    stored.operator().abandon()
    stored.deployed = deployed

    with pytest.raises(Conflict):
        stored.operator().start()


def test_backfill_makes_what_was_pending_without_any_change(stored: Deployment) -> None:
    stored.models[OLD].away = True
    function = stored.function()
    function.store("Its job was lost.")
    stored.models[OLD].away = False

    assert stored.operator().backfill()["filled"] == 1
    check([function], [*TEXTS, "Its job was lost."])
