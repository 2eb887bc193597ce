"""Batches of texts: each item is judged by itself, those that pass are stored together."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.semantic import NewMemory
from agent_memory.domain.semantic_store import MemoryStore, RequestAnswered, Stored
from agent_memory.errors import AgentMemoryError
from agent_memory.service.drafting import Drafting, Outline, outline
from agent_memory.service.semantic import check_subject, drafted
from agent_memory.service.subjects import Subjects
from agent_memory.service.validation import invalid_request

Outcome = Stored | AgentMemoryError


class SemanticBatches:
    """POST /v1/memory/semantic/batch."""

    def __init__(
        self, store: MemoryStore, drafting: Drafting, subjects: Subjects, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._drafting = drafting
        self._subjects = subjects
        self._clock = clock

    def store(
        self, tenant_id: str, items: Sequence[Any], attempt: Attempt, answer: Callable[[list[Outcome]], JsonObject]
    ) -> list[Outcome]:
        """The outcome of each item, in order. The good ones are all durable, or StoreUnavailable is raised and none is.

        Raises:
            PayloadTooLarge: the texts together are more than one request may store.
            RateLimited: the tenant may not embed or keep so much.
            AlreadyAnswered: the idempotency key has been used; `answer` says what was answered then.
        """
        now = attempt.began(self._clock())
        judged = [self._judged(tenant_id, item, now) for item in items]
        good = [each for each in judged if isinstance(each, Outline)]
        if not good:
            return [each for each in judged if isinstance(each, AgentMemoryError)]
        models, drafts = drafted(self._drafting, self._store, tenant_id, good, now)
        try:
            stored = self._store.store(tenant_id, drafts, models[0], now, attempt.record)
        except RequestAnswered as exc:
            told = answer(_in_order(judged, exc.stored)) if exc.stored else None
            raise attempt.replayed(exc.request_hash, 200, told) from exc
        return _in_order(judged, stored)

    def _judged(self, tenant_id: str, item: Any, now: datetime) -> Outline | AgentMemoryError:
        try:
            new = NewMemory.model_validate(item)
            outlined = outline(new, now)
            check_subject(self._subjects, tenant_id, new)
        except ValidationError as exc:
            return invalid_request(exc)
        except AgentMemoryError as exc:
            return exc
        else:
            return outlined


def _in_order(judged: Sequence[Outline | AgentMemoryError], stored: Sequence[Stored]) -> list[Outcome]:
    rest = iter(stored)
    return [each if isinstance(each, AgentMemoryError) else next(rest) for each in judged]
