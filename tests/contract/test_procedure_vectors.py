"""A change of the embedding model, for procedures: written by both, made for what was there before, removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from agent_memory.adapters.sql_procedure_vectors import SqlProcedureVectors
from agent_memory.adapters.sql_procedures import SqlProcedureStore
from agent_memory.domain.embedding import Vector
from agent_memory.domain.late_vectors import Compared, Filled
from agent_memory.domain.procedure_store import InModel
from agent_memory.domain.usage import Tally
from agent_memory.errors import StoreUnavailable
from agent_memory.service.procedure_vectors import AlsoProcedures
from tests.contract.procedures import REFUND, Handbook
from tests.fakes.clock import Clock
from tests.fakes.embedding import WordEmbedder
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora

OLD, NEW = WordEmbedder("old"), WordEmbedder("new", turn=7)


@dataclass
class Models:
    """`Embedders` as a test says."""

    now_served: WordEmbedder = OLD
    now_written: tuple[WordEmbedder, ...] = (OLD,)

    def served(self) -> WordEmbedder:
        return self.now_served

    def written(self) -> tuple[WordEmbedder, ...]:
        return self.now_written


class NoMemories:
    """`Worker` that has nothing to do."""

    def fill(self, tenant_id: str, after: str | None) -> Filled:  # noqa: ARG002
        return Filled(3, 2, 1, None)

    def compare(self, tenant_id: str, old: str, new: str, after: str | None) -> Compared:  # noqa: ARG002
        return Compared(1, 2, 3, None)

    def remove(self, tenant_id: str, model: str) -> int:  # noqa: ARG002
        return 0


@dataclass
class Change:
    """One tenant's procedures while the deployment changes its model."""

    book: Handbook
    models: Models
    worker: AlsoProcedures

    def fill(self) -> tuple[int, int, int]:
        """All of it: what was looked at, made and missed."""
        after, done = None, (0, 0, 0)
        while True:
            told = self.worker.fill(self.book.tenant, after)
            done = done[0] + told.looked, done[1] + told.filled, done[2] + told.missing
            if (after := told.after) is None:
                return done

    def similarity(self) -> list[float | None]:
        return [each.similarity and round(each.similarity, 2) for each in self.book.match("refund an order")]


@pytest.fixture(params=["data_api", "direct"])
def change(request: pytest.FixtureRequest, ways: Ways, migrated: Aurora, tenant: str, clock: Clock) -> Change:
    database, models = ways(request.param, migrated), Models()
    store = SqlProcedureStore(database, tally := Tally())
    book = Handbook(store, lambda: store, tenant, clock, models, tally)  # type: ignore[arg-type] # several models
    return Change(book, models, AlsoProcedures(NoMemories(), SqlProcedureVectors(database), models))


def test_a_change_of_the_model_reaches_every_procedure(change: Change) -> None:
    change.book.put("before", **REFUND | {"trigger": ["refund an order", "money back"]})
    change.book.put("before", **REFUND | {"agent_id": "planner"})
    change.models.now_written = (OLD, NEW)
    change.book.put("meanwhile", **REFUND)
    assert change.fill() == (5, 4, 1)  # both that were there before, behind memories
    assert change.fill() == (3, 2, 1)

    change.models.now_served = NEW
    assert change.similarity() == [1.0, 1.0]
    change.models.now_written = (NEW,)
    removed = 0
    while count := change.worker.remove(change.book.tenant, "old/128"):
        removed += count
    assert removed == 4
    assert change.similarity() == [1.0, 1.0]
    change.models.now_served = OLD
    assert change.similarity() == [None, None]


def test_vectors_are_counted_by_phrases_whatever_the_models(change: Change) -> None:
    change.models.now_written = (OLD, NEW)
    change.book.put("refund", **REFUND | {"trigger": ["refund an order", "money back"]})
    assert change.book.tally.vectors == 2
    change.worker.remove(change.book.tenant, "old/128")
    change.book.delete("refund")
    assert change.book.tally.vectors == 0


def test_a_model_that_is_away_is_told_and_nothing_is_lost(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    change.book.put("refund")
    change.models.now_written = (OLD, NEW)
    with monkeypatch.context() as away:
        away.setattr(NEW, "away", True)
        with pytest.raises(StoreUnavailable):
            change.fill()
        change.book.put("meanwhile", **REFUND)  # the model that is searched is there, which is enough
    assert change.fill() == (5, 4, 1)
    change.models.now_served = NEW
    assert change.similarity() == [1.0, 1.0]


def test_vectors_of_a_version_that_was_replaced_meanwhile_are_not_added(change: Change) -> None:
    change.book.put("refund", **REFUND | {"trigger": ["water the plants"]})
    vectors = change.worker._store
    (lacking,) = vectors.without(change.book.tenant, "new/128")
    change.book.put("refund")
    known = NEW.embed(lacking.phrases)
    vectors.add(change.book.tenant, lacking, InModel("new/128", tuple(known)))
    change.models.now_served = NEW
    assert change.similarity() == [None]


def test_a_model_that_is_left_while_it_is_asked_gets_no_vectors_any_more(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    change.book.put("refund")
    change.models.now_written = (OLD, NEW)
    monkeypatch.setattr(NEW, "attempt", leaving(change.models, OLD))
    change.fill()
    monkeypatch.undo()
    change.models.now_written = (OLD, NEW)
    monkeypatch.setattr(NEW, "attempt", leaving(change.models, OLD))
    change.book.put("meanwhile", **REFUND)

    lacking = change.worker._store.without(change.book.tenant, "new/128")
    assert {each.name for each in lacking} == {"refund", "meanwhile"}
    assert change.similarity() == [1.0, 1.0]


def test_a_model_that_is_begun_with_while_another_one_is_asked_gets_its_vectors(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OLD, "attempt", leaving(change.models, OLD, NEW))
    change.book.put("refund")

    assert not change.worker._store.without(change.book.tenant, "new/128")


def leaving(models: Models, *written: WordEmbedder) -> Callable[[Sequence[str]], list[Vector | None]]:
    """A model of words that takes so long that others are written when it answers."""

    def attempt(texts: Sequence[str]) -> list[Vector | None]:
        models.now_written = written
        return WordEmbedder().attempt(texts)

    return attempt


def test_another_tenant_s_procedures_are_not_touched(change: Change) -> None:
    other = change.book.of(f"{change.book.tenant}-2")
    other.put("refund")
    change.models.now_written = (OLD, NEW)

    assert change.fill() == (3, 2, 1)
    assert change.worker.remove(change.book.tenant, "old/128") == 0
    assert other.match("refund an order")[0].similarity is not None
