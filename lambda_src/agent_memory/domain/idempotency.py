"""Idempotency keys: the first answer to a request is the answer to every repetition of it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.json_document import dumps
from agent_memory.errors import Conflict, InProgress, InvalidRequest

KEEP = timedelta(hours=24)
# A running request is given up after this: longer than any request may take (the HTTP API stops at 30 s).
LEASE = timedelta(seconds=60)
MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: `body` is the JSON of `data` or of `error`, without meta.

    Of a large value it says only where that lies: in `body_kept`.
    """

    status: int
    body: str | None
    body_kept: StoredBody | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is kept of a request; `answer` is None while it runs, which only a batch needs.

    `started_at` is when the request was first seen: every attempt makes the same ids from it.
    """

    tenant_id: str
    scope: str
    request_hash: str
    started_at: datetime
    lapses_at: datetime
    answer: Answer | None = None

    def answered(self, status: int, body: str | None, body_kept: StoredBody | None = None) -> "IdempotencyRecord":
        """The same request, finished."""
        return replace(self, answer=Answer(status, body, body_kept), lapses_at=self.started_at + KEEP)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One arrival of a request; without an idempotency key there is no record."""

    record: IdempotencyRecord | None = None

    def answered(self, status: int, data: object, body_kept: StoredBody | None = None) -> IdempotencyRecord | None:
        """The record to commit together with the effect."""
        return self.record and self.record.answered(status, None if data is None else dumps(data), body_kept)

    def began(self, now: datetime) -> datetime:
        """When the request was first seen: what it says of time is judged by that, whenever it is repeated."""
        return now if self.record is None else self.record.started_at

    def replayed(self, request_hash: str, status: int, data: object) -> "AlreadyAnswered":
        """What to raise when a store tells that a request of this hash used the key, and what it did."""
        assert self.record is not None  # noqa: S101 - without a record no store was told of a key
        first = replace(self.record, request_hash=request_hash)
        return AlreadyAnswered(first.answered(status, None if data is None else dumps(data)))


class AlreadyAnswered(Exception):
    """The store holds a record under this key; nothing was written."""

    def __init__(self, stored: IdempotencyRecord) -> None:
        super().__init__("this idempotency key has been used")
        self.stored = stored


def begin(tenant_id: str, route: str, key: str, request: bytes, now: datetime) -> IdempotencyRecord:
    """Describe a request that has just arrived.

    Raises:
        InvalidRequest: the key is empty or over 255 characters.
    """
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InvalidRequest.of("Idempotency-Key", f"must have 1 to {MAX_KEY_LENGTH} characters")
    scope = hashlib.sha256(f"{route}\n{key}".encode()).hexdigest()
    return IdempotencyRecord(tenant_id, scope, hashlib.sha256(request).hexdigest(), now, now + LEASE)


def first_answer(stored: IdempotencyRecord, asked: IdempotencyRecord) -> Answer:
    """The answer to give again.

    Raises:
        Conflict: the key was used for another request.
        InProgress: the first request has not finished.
    """
    if stored.request_hash != asked.request_hash:
        raise Conflict("the Idempotency-Key was used for another request")
    if stored.answer is None:
        raise InProgress("a request with this Idempotency-Key is still running", retry_after_s=1)
    return stored.answer
