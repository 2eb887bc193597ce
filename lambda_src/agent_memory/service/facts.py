"""Facts: say what is known of a user, and ask what holds."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.fact_names import predicate_key, subject_key
from agent_memory.domain.fact_requests import Cardinality, FactHistoryQuery, FactsQuery, NewFact
from agent_memory.domain.fact_store import (
    MAX_STATEMENTS,
    CardinalityDiffers,
    Change,
    FactAnswered,
    FactPosition,
    FactsAsked,
    FactStore,
    PredicateCrowded,
)
from agent_memory.domain.facts import Fact, Saying, Told
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import RawJson, dumps
from agent_memory.domain.state import StateKey
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.errors import Conflict, InvalidRequest, NotFound
from agent_memory.service.paging import MAX_PAGE_BYTES
from agent_memory.service.subjects import Subjects

_REFUSALS = {
    "retract": "the fact is retracted already",
    "restore": "the fact is not retracted",
    "clash": "cardinality: the predicate has another one by now",
}


class FactPageOut(NamedTuple):
    """Written facts, the cursor of the next page, and whether this one ended for its size."""

    facts: list[RawJson]
    next_cursor: str | None
    partial: bool


class Facts:
    """The routes of facts."""

    def __init__(self, store: FactStore, subjects: Subjects, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._subjects = subjects
        self._clock = clock

    def put(self, tenant_id: str, new: NewFact, attempt: Attempt) -> Told:
        """Keep a fact; when this returns it is durable, and what it contradicts has ended.

        Raises:
            InvalidRequest: times that do not go together, or a session without its agent.
            Conflict: the session belongs to another user, the predicate has another cardinality, or so much has been
                said of it that no more is taken.
            AlreadyAnswered: the idempotency key has been used.
        """
        now = attempt.began(self._clock())
        saying = self._saying(tenant_id, new, now, "")
        try:
            (told,) = self._store.put(tenant_id, new.user_id, [saying], now, attempt.record)
        except CardinalityDiffers:
            raise _differs("cardinality") from None
        except PredicateCrowded:
            raise _crowded("predicate") from None
        except FactAnswered as exc:
            raise attempt.replayed(exc.request_hash, 200, exc.told[0].response() if exc.told else None) from exc
        return told

    def put_all(
        self, tenant_id: str, items: Sequence[NewFact], attempt: Attempt, *, is_yielding: bool = False
    ) -> list[Told]:
        """Keep all facts of a bundle, or none: what became of each, in order.

        `is_yielding` lets a cardinality that differs from its predicate's give way, instead of being refused.

        Raises:
            InvalidRequest, Conflict: as `put`, with the place of the item.
            AlreadyAnswered: the idempotency key has been used.
        """
        now = attempt.began(self._clock())
        items = _of_one_user(items)
        sayings = [self._saying(tenant_id, new, now, f"items.{place}.") for place, new in enumerate(items)]
        try:
            return self._store.put(tenant_id, items[0].user_id, sayings, now, attempt.record)
        except CardinalityDiffers as exc:
            if is_yielding and items[exc.place].cardinality is not None:
                return self.put_all(tenant_id, _yielded(items, exc.place), attempt, is_yielding=True)
            raise _differs(f"items.{exc.place}.cardinality") from None
        except PredicateCrowded as exc:
            raise _crowded(f"items.{exc.place}.predicate") from None
        except FactAnswered as exc:
            told = bundle_response(exc.told) if exc.told else None
            raise attempt.replayed(exc.request_hash, 200, told) from exc

    def change(self, tenant_id: str, fact_id: str, change: Change, attempt: Attempt) -> Told:
        """Retract a fact, or restore it; what becomes of others follows by the same rule as if it had never been said.

        Raises:
            NotFound: there is no such fact.
            Conflict: it is so already, or its predicate has another cardinality by now.
            AlreadyAnswered: the idempotency key has been used.
        """
        now = attempt.began(self._clock())
        try:
            told = self._store.change(tenant_id, fact_id, change, now, attempt.record)
        except FactAnswered as exc:
            status, data = (200, exc.told[0].response()) if exc.told and change == "restore" else (204, None)
            raise attempt.replayed(exc.request_hash, status, data) from exc
        if told == "absent":
            raise _absent()
        if isinstance(told, str):
            raise Conflict(_REFUSALS[change if told == "already" else told])
        return told

    def find(self, tenant_id: str, query: FactsQuery, cursor_key: bytes) -> FactPageOut:
        """Read one page of what holds; all pages of a walk tell of the same two times."""
        described = dumps(["facts", tenant_id, query.model_dump(exclude={"limit", "cursor"})])
        as_of, known_at, after = query.as_of, query.known_at, None
        if query.cursor is not None:
            times = unseal(cursor_key, described, query.cursor)
            as_of, known_at = from_micros(times[0]), from_micros(times[1])
            after = FactPosition(from_micros(times[2]), times[3])
        asked = FactsAsked(
            query.user_id,
            self._clock(),
            agent_id=query.agent_id,
            subject_key=None if query.subject is None else subject_key(query.subject),
            predicate_key=None if query.predicate is None else predicate_key(query.predicate),
            as_of=as_of,
            known_at=known_at,
            purpose=query.purpose,
            after=after,
            limit=query.limit,
        )
        page = self._store.facts(tenant_id, asked)
        items, cut = _within_a_page(page.facts)
        if not cut and not page.more:
            return FactPageOut(items, None, partial=False)
        last = page.facts[len(items) - 1]
        assert last.valid_from is not None  # noqa: S101 - it holds
        times = [to_micros(page.as_of), to_micros(page.known_at), to_micros(last.valid_from)]
        position = [*times, last.id]
        return FactPageOut(items, seal(cursor_key, described, position), partial=len(items) < query.limit)

    def history(self, tenant_id: str, fact_id: str, query: FactHistoryQuery, cursor_key: bytes) -> FactPageOut:
        """Read what was believed of a fact, the newest first.

        Raises:
            NotFound: there is no such fact.
        """
        described = dumps(["fact history", tenant_id, fact_id])
        before = None if query.cursor is None else from_micros(unseal(cursor_key, described, query.cursor)[0])
        told, more = self._store.history(tenant_id, fact_id, self._clock(), before, query.limit)
        if not told and before is None:
            raise _absent()
        items, cut = _within_a_page(told)
        if not more and not cut:
            return FactPageOut(items, None, partial=False)
        cursor = seal(cursor_key, described, [to_micros(told[len(items) - 1].known_from)])
        return FactPageOut(items, cursor, partial=len(items) < query.limit)

    def _saying(self, tenant_id: str, new: NewFact, now: datetime, at: str) -> Saying:
        try:
            expires_at = new.expiry(now)
        except InvalidRequest as exc:
            raise _moved(exc, at) from None
        if new.valid_to is not None and new.valid_to <= (new.valid_from or now):
            raise InvalidRequest.of(f"{at}valid_to", "must lie behind valid_from, which is now unless it is given")
        if new.session_id is not None:
            if new.agent_id is None:
                raise InvalidRequest.of(f"{at}session_id", "must be given together with the agent_id of the session")
            self._subjects.check(StateKey(tenant_id, new.agent_id, new.session_id), new.user_id)
        return Saying(str(uuid4()), new, expires_at)


def bundle_response(told: Sequence[Told]) -> dict[str, object]:
    """The answer to a bundle."""
    return {"facts": [each.response() for each in told]}


def _of_one_user(items: Sequence[NewFact]) -> list[NewFact]:
    """The items; what one says of its predicate holds for all that say the same predicate."""
    cardinalities: dict[tuple[str | None, str, str], Cardinality] = {}
    for place, new in enumerate(items):
        if new.user_id != items[0].user_id:
            raise InvalidRequest.of(f"items.{place}.user_id", "must be the same for all items")
        if new.cardinality is not None and cardinalities.setdefault(_scope(new), new.cardinality) != new.cardinality:
            raise InvalidRequest.of(f"items.{place}.cardinality", "must be the same for one predicate")
    return [new.model_copy(update={"cardinality": cardinalities.get(_scope(new))}) for new in items]


def _yielded(items: Sequence[NewFact], place: int) -> list[NewFact]:
    """The items, of which those that say the predicate of this one leave its cardinality open."""
    scope = _scope(items[place])
    return [each.model_copy(update={"cardinality": None}) if _scope(each) == scope else each for each in items]


def _scope(new: NewFact) -> tuple[str | None, str, str]:
    return new.agent_id, subject_key(new.subject), predicate_key(new.predicate)


def _within_a_page(facts: Sequence[Fact]) -> tuple[list[RawJson], bool]:
    items: list[RawJson] = []
    size = 0
    for fact in facts:
        item = RawJson(dumps(fact.response()))
        size += len(item.encode())
        if items and size > MAX_PAGE_BYTES:
            return items, True
        items.append(item)
    return items, False


def _differs(field: str) -> Conflict:
    return _refused(field, "must be the predicate's, as long as any fact of it stands")


def _crowded(field: str) -> Conflict:
    return _refused(field, f"must have at most {MAX_STATEMENTS:,} statements that stand, of one subject and agent")


def _refused(field: str, rule: str) -> Conflict:
    return Conflict(f"{field}: {rule}", details=[{"field": field, "rule": rule}])


def _moved(error: InvalidRequest, at: str) -> InvalidRequest:
    """The same finding, of an item."""
    field, _, rule = error.message.partition(": ")
    return InvalidRequest.of(f"{at}{field}", rule)


def _absent() -> NotFound:
    return NotFound("no such fact")
