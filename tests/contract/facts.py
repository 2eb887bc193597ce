"""Facts under test: one store, one tenant, one user unless told otherwise, and a clock that a test turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.domain.fact_requests import FactHistoryQuery, FactsQuery, NewFact
from agent_memory.domain.fact_store import FactStore
from agent_memory.domain.facts import Told
from agent_memory.domain.idempotency import Attempt, IdempotencyRecord, begin
from agent_memory.domain.json_document import parse
from agent_memory.service.facts import Facts
from agent_memory.service.subjects import Subjects
from tests.fakes.clock import Clock
from tests.fakes.control import InMemorySubjectStore

KEY = b"key"


def day(number: int | None) -> str | None:
    """A day of 2020, from 1 on."""
    return None if number is None else f"2020-01-{number:02}T00:00:00Z"


@dataclass
class KnownFacts:
    """One tenant's view; `another` is the same store as a second function sees it."""

    store: FactStore
    another_store: Callable[[], FactStore]
    tenant: str
    clock: Clock

    def __post_init__(self) -> None:
        self.facts = Facts(self.store, Subjects(InMemorySubjectStore()), self.clock)

    def another(self) -> "KnownFacts":
        return KnownFacts(self.another_store(), self.another_store, self.tenant, self.clock)

    def of(self, tenant: str) -> "KnownFacts":
        return KnownFacts(self.store, self.another_store, tenant, self.clock)

    def say(
        self,
        value: Any,
        start: int | None = None,
        end: int | None = None,
        *,
        record: IdempotencyRecord | None = None,
        **fields: Any,
    ) -> Told:
        """Say where Ana lives, from one day of 2020 until another."""
        return self.facts.put(self.tenant, fact(value, start, end, **fields), Attempt(record))

    def say_all(self, items: Sequence[NewFact], record: IdempotencyRecord | None = None) -> list[Told]:
        return self.facts.put_all(self.tenant, items, Attempt(record))

    def retract(self, fact_id: str, record: IdempotencyRecord | None = None) -> Told:
        return self.facts.change(self.tenant, fact_id, "retract", Attempt(record))

    def restore(self, fact_id: str, record: IdempotencyRecord | None = None) -> Told:
        return self.facts.change(self.tenant, fact_id, "restore", Attempt(record))

    def find(self, limit: int = 50, **fields: Any) -> list[Any]:
        """Whole facts, of all pages."""
        found: list[Any] = []
        cursor = None
        while True:
            query = FactsQuery.model_validate({"user_id": "ana", "limit": limit, "cursor": cursor} | fields)
            page = self.facts.find(self.tenant, query, KEY)
            found += [parse(each) for each in page.facts]
            cursor = page.next_cursor
            if cursor is None:
                return found

    def values(self, on: int | None = None, **fields: Any) -> list[Any]:
        """Values that hold on a day of 2020, or now."""
        return [each["value"] for each in self.find(as_of=day(on), **fields)]

    def timeline(self, **fields: Any) -> list[Any]:
        """What holds on the days 1 to 9, None for nothing."""
        return [(self.values(number, **fields) or [None])[0] for number in range(1, 10)]

    def history(self, fact_id: str, limit: int = 50) -> list[Any]:
        told: list[Any] = []
        cursor = None
        while True:
            query = FactHistoryQuery(limit=limit, cursor=cursor)
            page = self.facts.history(self.tenant, fact_id, query, KEY)
            told += [parse(each) for each in page.facts]
            cursor = page.next_cursor
            if cursor is None:
                return told

    def whys(self, fact_id: str) -> list[tuple[str, Any]]:
        """Why each belief came to be, the first first, and because of which fact."""
        return [(each["why"], each["by"]) for each in reversed(self.history(fact_id))]

    def key(self, key: str, body: bytes = b"{}") -> IdempotencyRecord:
        return begin(self.tenant, "PUT /v1/facts", key, body, self.clock())


def fact(value: Any, start: int | None = None, end: int | None = None, **fields: Any) -> NewFact:
    """Where Ana lives."""
    said: dict[str, Any] = {"user_id": "ana", "subject": "Ana", "predicate": "lives in", "value": value}
    return NewFact.model_validate(said | {"valid_from": day(start), "valid_to": day(end)} | fields)
