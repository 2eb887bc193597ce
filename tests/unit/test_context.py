"""Context: what is asked of the stores, what becomes of their answers, and of those that do not come."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.context import Gathered
from agent_memory.domain.state import StateKey
from agent_memory.errors import RateLimited, StoreUnavailable
from tests.fakes.context import recall
from tests.unit.context_scene import (
    BERLIN,
    PORTO,
    Scene,
    ScriptedContextStore,
    fact,
    procedure,
    refuse,
    state,
    users_facts,
)


@pytest.fixture
def for_ever() -> Iterator[threading.Event]:
    """What a silent store waits for."""
    event = threading.Event()
    yield event
    event.set()


def no_vector(_: object) -> list[Any]:
    raise StoreUnavailable("the embedding model did not answer")


def test_every_layer_is_in_the_block_the_most_useful_first() -> None:
    found = Gathered(
        users_facts("1", BERLIN, fact("f3", "Pim", "eats", ["rice", 1.0])),
        [recall("m1", "Noor packed her books for Berlin.", 0.9), recall("m2", "The sea was calm.", 0.1)],
        [recall("s1", "They talked about the move.", 0.4)],
        [
            procedure("move house", "help with a move", 0.95),
            procedure("swim", "go swimming", 0.2, steps=None, template="Swim."),
        ],
    )
    scene = Scene(ScriptedContextStore(found))
    scene.state = lambda: state({"task": "move", "step": 2})

    told = scene.build(session_id="s", user_id="u")

    assert told["block"].split("\n")[1:] == [
        '- [state s@3] {"task": "move", "step": 2}',
        "- [fact f1 2026-11-20] Noor lives in: Berlin",
        "- [procedure ~bW92ZSBob3VzZQ@3] help with a move: 1. look 2. act",
        "- [memory m1 2026-11-20] Noor packed her books for Berlin.",
        '- [fact f3 2026-11-20] Pim eats: ["rice",1.0]',
        "- [summary s1 2026-11-20] They talked about the move.",
        "- [procedure swim@3] go swimming: Swim.",
        "- [memory m2 2026-11-20] The sea was calm.",
    ]
    assert (told["truncated"], "degraded" in told) == (False, False)
    assert told["working"]["data"] == {"task": "move", "step": 2}
    assert [each["id"] for each in told["memories"]] == ["m1", "m2"]
    assert set(told["timings"]) == {"working", "embedding", "search", "total"}


def test_one_state_is_read_and_the_database_is_asked_once_for_the_same_tenant() -> None:
    scene = Scene()

    scene.build(user_id="u", top_k=7, purpose="support")

    assert scene.states == [(StateKey("acme", "a", "default"), scene.clock())]
    ((tenant, query, timeout_s),) = scene.store.asked
    assert (tenant, query.agent_id, query.user_id, query.top_k, query.purpose) == ("acme", "a", "u", 7, "support")
    assert (query.now, query.as_of, query.known_facts) == (scene.clock(), None, None)
    assert query.vector is not None
    assert query.lexemes
    assert 0 < timeout_s <= 20
    assert scene.embedder.calls == 1


def test_at_is_what_is_asked_about_and_what_has_expired_goes_by_the_clock() -> None:
    scene = Scene()

    scene.build(at="2024-02-29T00:00:00Z")

    ((_, query, _),) = scene.store.asked
    assert query.as_of == datetime.fromisoformat("2024-02-29T00:00:00Z")
    assert query.now == scene.states[0][1] == scene.clock()


def test_without_a_vector_words_are_looked_for_and_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(ScriptedContextStore(Gathered(users_facts("1", BERLIN))))
    monkeypatch.setattr(scene.embedder, "embed", no_vector)

    told = scene.build(user_id="u")

    ((_, query, _),) = scene.store.asked
    assert query.vector is None
    assert query.lexemes
    assert told["degraded"] == ["vectors"]
    assert told["timings"]["embedding"] is None
    assert "Berlin" in told["block"]


def test_a_tenant_that_may_embed_no_more_is_answered_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    def refused(_: object) -> list[Any]:
        raise RateLimited("embeddings_per_month", 10, 60)

    monkeypatch.setattr(scene.embedder, "embed", refused)

    assert scene.build()["degraded"] == ["vectors"]


def test_without_the_database_the_state_is_answered_and_what_is_missing_is_named() -> None:
    scene = Scene()
    scene.store.refuses = refuse
    scene.state = lambda: state({"task": "move"})

    told = scene.build(user_id="u")

    assert told["degraded"] == ["facts", "memories", "procedures", "summaries"]
    assert (told["facts"], told["memories"], told["truncated"]) == ([], [], True)
    assert told["block"].endswith('{"task": "move"}')


def test_a_silent_working_memory_is_waited_for_no_longer_than_the_deadline(for_ever: threading.Event) -> None:
    scene = Scene(ScriptedContextStore(Gathered(None, [recall("m1", "Noor moved to Berlin.")])), deadline_s=0.3)

    def silent() -> None:
        for_ever.wait(60)

    scene.state = silent
    began = time.monotonic()

    told = scene.build()

    assert time.monotonic() - began < 10
    assert told["degraded"] == ["working"]
    assert told["timings"]["working"] is None
    assert "m1" in told["block"]


def test_the_database_has_only_what_the_model_left_of_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(deadline_s=2.0)
    clock = [time.monotonic()]
    monkeypatch.setattr("agent_memory.service.context.time.monotonic", lambda: clock[0])

    def slow(_: object) -> list[Any]:
        clock[0] += 1.5
        raise StoreUnavailable("the embedding model did not answer")

    monkeypatch.setattr(scene.embedder, "embed", slow)

    scene.build()

    ((*_, timeout_s),) = scene.store.asked
    assert timeout_s == pytest.approx(0.4)


def test_when_nothing_answers_it_is_a_503_with_a_time_to_come_back() -> None:
    scene = Scene()
    scene.store.refuses = scene.state = refuse

    with pytest.raises(StoreUnavailable) as refused:
        scene.build()

    assert refused.value.retry_after_s


def test_a_bug_in_the_other_thread_is_not_taken_for_a_store_that_is_away() -> None:
    scene = Scene()

    def broken() -> None:
        raise ZeroDivisionError

    scene.state = broken

    with pytest.raises(ZeroDivisionError):
        scene.build()


def test_of_a_large_state_the_block_shows_what_fits_and_says_so() -> None:
    scene = Scene()
    scene.state = lambda: state({"draft": "word " * 400, "step": 2})
    assert scene.build(token_budget=200)["block"].endswith('- [state s@3] {"step": 2} … (part)')

    scene.state = lambda: state(None, body=StoredBody("key-of-it", "0" * 64, 2_000_000))
    told = scene.build()
    assert told["block"].endswith("- [state s@3] 2000000 bytes, too large to be shown here")
    assert told["working"]["data"] is None
    assert "key-of-it" in told["working"]["body_url"]


def test_the_same_stores_and_clock_give_the_same_block() -> None:
    found = Gathered(users_facts("1", PORTO, BERLIN), [recall(f"m{n}", f"text {n}", 0.5) for n in range(9)])
    blocks = {Scene(ScriptedContextStore(found)).build(user_id="u")["block"] for _ in range(5)}

    assert len(blocks) == 1
