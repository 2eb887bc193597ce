"""A share of the searches is compared with the exact answer."""

from datetime import UTC, datetime

import pytest

from agent_memory.domain.semantic_store import MemorySearch
from agent_memory.errors import StoreUnavailable
from agent_memory.service.search_check import SearchCheck
from tests.fakes.memories import InMemoryMemoryStore

SEARCH = MemorySearch((1.0, 0.0), "m", 10, datetime(2026, 12, 1, tzinfo=UTC), mode="vector")


class Store(InMemoryMemoryStore):
    """Finds nine of ten."""

    failing = False

    def recall(self, tenant_id: str, search: MemorySearch) -> float | None:  # noqa: ARG002
        if self.failing:
            raise StoreUnavailable("busy")
        return 0.9


@pytest.fixture
def told() -> list[float]:
    return []


@pytest.mark.parametrize(("drawn", "share", "expected"), [(0.0, 0.001, [0.9]), (0.001, 0.001, []), (0.5, 1.0, [0.9])])
def test_the_share_that_is_drawn_is_checked_and_told(
    told: list[float], drawn: float, share: float, expected: list[float]
) -> None:
    SearchCheck(Store(), share, lambda: drawn, told.append).after("acme", SEARCH)

    assert told == expected


def test_a_search_by_words_alone_has_nothing_to_compare(told: list[float]) -> None:
    by_words = MemorySearch(None, "m", 10, SEARCH.now, mode="lexical")

    SearchCheck(Store(), 1.0, lambda: 0.0, told.append).after("acme", by_words)

    assert told == []


def test_a_check_that_fails_is_nobodys_business(told: list[float]) -> None:
    store = Store()
    store.failing = True

    SearchCheck(store, 1.0, lambda: 0.0, told.append).after("acme", SEARCH)

    assert told == []


def test_where_nothing_is_near_nothing_is_told(told: list[float]) -> None:
    SearchCheck(InMemoryMemoryStore(), 1.0, lambda: 0.0, told.append).after("acme", SEARCH)

    assert told == []
