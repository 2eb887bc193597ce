"""Vectors of texts: how often and how many at a time the model is called, and what happens when it fails."""

import threading
import time
from collections.abc import Callable

import pytest

from agent_memory.domain.embedding import Vector
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service import embedding
from agent_memory.service.embedding import Embeddings

TIMEOUT_S = 12.0


def alone() -> str:
    return "acme"


class Model:
    """Counts letters, and notes which thread asked, when and until when."""

    name = "letters"
    dimensions = 2

    def __init__(self, before: Callable[[str], None] = lambda _: None) -> None:
        self.texts: list[str] = []
        self.threads: list[str] = []
        self.left: list[float] = []
        self._before = before

    def embed(self, text: str, deadline: float) -> Vector:
        self.texts.append(text)
        self.threads.append(threading.current_thread().name)
        self.left.append(deadline - time.monotonic())
        self._before(text)
        return (float(len(text)), 0.1)


@pytest.fixture
def tally() -> Tally:
    return Tally()


def test_vectors_come_in_the_order_of_their_texts(tally: Tally) -> None:
    embeddings = Embeddings(Model(), tally, TIMEOUT_S, alone)

    assert embeddings.embed(["aaa", "b", "cc"]) == [(3.0, 0.1), (1.0, 0.1), (2.0, 0.1)]
    assert (embeddings.name, embeddings.dimensions) == ("letters", 2)


def test_no_text_needs_no_call(tally: Tally) -> None:
    model = Model()

    assert Embeddings(model, tally, TIMEOUT_S, alone).embed([]) == []
    assert model.texts == []


def test_each_distinct_text_is_embedded_once(tally: Tally) -> None:
    model = Model()
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)

    assert embeddings.embed(["a", "bb", "a", "a", "bb"]) == [(1.0, 0.1), (2.0, 0.1), (1.0, 0.1), (1.0, 0.1), (2.0, 0.1)]
    assert sorted(model.texts) == ["a", "bb"]
    assert embeddings.calls == tally.embeddings == 2


def test_a_text_that_was_embedded_before_is_remembered(tally: Tally) -> None:
    model = Model()
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)
    embeddings.embed(["a", "bb"])

    assert embeddings.embed(["bb", "a", "ccc"]) == [(2.0, 0.1), (1.0, 0.1), (3.0, 0.1)]
    assert sorted(model.texts) == ["a", "bb", "ccc"]
    assert embeddings.calls == tally.embeddings == 3


def test_the_text_that_was_not_asked_for_longest_is_forgotten(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_KEPT", 3)
    model = Model()
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)
    for text in ("a", "b", "c", "a", "d"):
        embeddings.embed([text])

    embeddings.embed(["a"])
    embeddings.embed(["b"])

    assert model.texts == ["a", "b", "c", "d", "b"]


def test_one_text_is_embedded_in_the_calling_thread(tally: Tally) -> None:
    model = Model()
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)

    embeddings.embed(["a"])
    embeddings.embed(["a", "b"])  # of which one is known

    assert model.threads == [threading.current_thread().name] * 2


def test_at_most_eight_texts_are_embedded_at_the_same_time(tally: Tally) -> None:
    gate, lock = threading.Barrier(8), threading.Lock()
    under_way: list[int] = [0, 0]

    def before(_: str) -> None:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        gate.wait(30)  # nobody passes before eight are here
        with lock:
            under_way[0] -= 1
        gate.wait(30)

    model = Model(before)
    vectors = Embeddings(model, tally, TIMEOUT_S, alone).embed([f"{number:02}" for number in range(24)])

    assert len(vectors) == len(model.texts) == 24
    assert under_way[1] == 8
    assert len(set(model.threads)) == 8


def test_all_texts_share_one_deadline(tally: Tally) -> None:
    model = Model()
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)

    embeddings.embed(["a"])
    embeddings.embed(["b", "c"])

    assert 7 < model.left[0] <= 8
    assert all(11 < left <= 12 for left in model.left[1:])


def test_after_a_failure_no_further_text_is_begun(tally: Tally) -> None:
    gate = threading.Event()

    def before(text: str) -> None:
        if text == "03":
            raise StoreUnavailable("the embedding model did not answer", 2)
        gate.wait(30)

    model = Model(before)
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)

    with pytest.raises(StoreUnavailable) as unavailable:
        embeddings.embed([f"{number:02}" for number in range(100)])

    assert unavailable.value.retry_after_s == 2
    gate.set()
    assert embeddings.embed(["x", "yy"]) == [(1.0, 0.1), (2.0, 0.1)]  # the same threads serve the next call
    assert len(model.texts) == embeddings.calls == tally.embeddings
    assert len(model.texts) <= 8 + 2 + 2


def test_what_was_embedded_before_a_failure_is_not_embedded_again(tally: Tally) -> None:
    refused: list[str] = []

    def before(text: str) -> None:
        if text == "bad" and not refused:
            refused.append(text)
            raise StoreUnavailable("the embedding model did not answer")

    model = Model(before)
    embeddings = Embeddings(model, tally, TIMEOUT_S, alone)
    texts = [*(f"{number:02}" for number in range(24)), "bad"]
    with pytest.raises(StoreUnavailable):
        embeddings.embed(texts)

    embeddings.embed(texts)

    assert model.texts.count("bad") == 2
    assert len(model.texts) <= 24 + 7 + 2  # at most seven others were under way when it failed


def test_a_text_that_failed_alone_is_counted_and_tried_again(tally: Tally) -> None:
    def before(text: str) -> None:
        if tally.embeddings == 1:
            raise StoreUnavailable("the embedding model did not answer")

    embeddings = Embeddings(Model(before), tally, TIMEOUT_S, alone)
    with pytest.raises(StoreUnavailable):
        embeddings.embed(["a"])

    assert embeddings.embed(["a"]) == [(1.0, 0.1)]
    assert embeddings.calls == 2


def test_what_one_tenant_had_embedded_helps_no_other(tally: Tally) -> None:
    tenants = ["acme"]
    embeddings = Embeddings(Model(), tally, TIMEOUT_S, lambda: tenants[-1])
    embeddings.embed(["the launch code is 4711"])
    tenants.append("globex")

    embeddings.embed(["the launch code is 4711"])

    assert embeddings.calls == 2, "a guess that costs nothing would tell what the other tenant said"
