"""A model that takes longer than a change of models waits: what it gives in the end is not added."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agent_memory.domain.embedding import Vector
from agent_memory.domain.embedding_models import SETTLED_S, Plan
from agent_memory.service.drafting import MOST_AT_ONCE
from tests.contract.memories import PIANO, Memories
from tests.contract.reembedding import NEW, OLD, Deployment

LONG = " ".join(f"Sentence number {number} is about tea." for number in range(2_000))


@pytest.fixture
def function(deployment: Deployment) -> Memories:
    """It knows that both are written."""
    deployment.operator().start()
    return deployment.function()


def leave_while_asked(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """At its call of this number the next model is given up, wholly, before it answers."""
    model, calls = deployment.models[NEW], 0
    attempt = model.attempt

    def slow(texts: Sequence[str]) -> list[Vector | None]:
        nonlocal calls
        calls += 1
        if calls == call:
            deployment.operator().abandon()
            assert deployment.plans.get() == Plan(OLD, changed_at=deployment.clock())
        return attempt(texts)

    monkeypatch.setattr(model, "attempt", slow)


def vectors(deployment: Deployment, memory_id: str) -> tuple[int, int]:
    """How many there are of either model."""
    models = [str(OLD), str(NEW)]
    (text,) = deployment.late.read(deployment.tenant, [memory_id], models, deployment.clock())
    assert text.pending == ()
    return text.has[str(OLD)], text.has[str(NEW)]


def test_a_job_adds_nothing_of_a_model_that_was_given_up_while_it_was_asked(
    deployment: Deployment, function: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.models[NEW].away = deployment.models[OLD].away = True
    stored = function.store(PIANO)
    deployment.models[NEW].away = deployment.models[OLD].away = False
    before = deployment.clock()
    leave_while_asked(deployment, monkeypatch, 1)

    function.do_jobs()

    assert (deployment.clock() - before).total_seconds() >= SETTLED_S
    assert vectors(deployment, stored.memory.id) == (1, 0)
    assert function.found("piano", mode="vector") == [PIANO]


def test_a_long_text_goes_on_with_the_model_that_is_left(
    deployment: Deployment, function: Memories, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = function.store(LONG)
    (text,) = deployment.late.read(deployment.tenant, [stored.memory.id], [str(OLD)], deployment.clock())
    assert text.pieces > 2 * MOST_AT_ONCE
    job = function.embed_jobs()
    monkeypatch.setattr(job, "_longest", timedelta(hours=1))
    monkeypatch.setattr(function, "embed_jobs", lambda: job)
    leave_while_asked(deployment, monkeypatch, 2)

    function.do_jobs()

    assert vectors(deployment, stored.memory.id) == (text.pieces, 0)


def test_filling_adds_nothing_of_a_model_that_was_given_up_while_it_was_asked(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = deployment.function().store(PIANO)
    deployment.operator().start()
    leave_while_asked(deployment, monkeypatch, 1)

    deployment.operator().backfill()

    assert vectors(deployment, stored.memory.id) == (1, 0)
