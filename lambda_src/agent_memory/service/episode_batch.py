"""Batches of episodes: each item is judged and answered by itself."""

import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from agent_memory.domain.episode import Episode, NewEpisode
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt, IdempotencyRecord
from agent_memory.domain.ports import EpisodeStore, IdempotencyStore
from agent_memory.domain.state import StateKey
from agent_memory.errors import AgentMemoryError, PayloadTooLarge, RateLimited, StoreUnavailable
from agent_memory.service.episode_bodies import EpisodeBodies
from agent_memory.service.large_values import LargeValues
from agent_memory.service.subjects import Subjects
from agent_memory.service.validation import invalid_request

Outcome = Episode | AgentMemoryError


class _Caller(NamedTuple):
    """Who sent the batch, what reads the ids of its uploads, and how long its episodes are kept."""

    tenant_id: str
    cursor_key: bytes
    retention: timedelta | None


class EpisodeBatches:
    """POST /v1/memory/episodic/batch."""

    def __init__(
        self,
        store: EpisodeStore,
        idempotency: IdempotencyStore,
        subjects: Subjects,
        values: LargeValues,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._idempotency = idempotency
        self._subjects = subjects
        self._values = values
        self._clock = clock

    def append(
        self,
        tenant_id: str,
        items: Sequence[Any],
        attempt: Attempt,
        answer: Callable[[list[Outcome]], JsonObject],
        cursor_key: bytes,
        retention: timedelta | None = None,
    ) -> list[Outcome]:
        """Write what can be written, to be kept no longer than the retention: the outcome of each item, in order.

        With an idempotency key every attempt makes the same ids, so that one which goes on after a crash writes
        nothing twice; its answer (made by `answer`) is remembered when no item has to be sent again.
        """
        caller = _Caller(tenant_id, cursor_key, retention)
        if attempt.record is None:
            return self._write(caller, items, None)
        record = self._idempotency.claim(attempt.record, self._clock())
        try:
            outcomes = self._write(caller, items, record)
        except AgentMemoryError:
            self._idempotency.release(record, self._clock())
            raise
        # Links lapse, so an answer that may hold some is not kept: a repetition writes the same and says the same.
        if any(_is_open(each) for each in outcomes):
            self._idempotency.release(record, self._clock())
        else:
            self._finish(record, answer(outcomes))
        return outcomes

    def _finish(self, record: IdempotencyRecord, answer: JsonObject) -> None:
        finished = Attempt(record).answered(200, answer)
        assert finished is not None  # noqa: S101 - the attempt has a record
        try:
            self._idempotency.finish(finished)
        except PayloadTooLarge:
            # Too long to be kept: a repetition makes the same ids, writes the same items and says the same.
            self._idempotency.release(record, self._clock())

    def _write(self, caller: _Caller, items: Sequence[Any], record: IdempotencyRecord | None) -> list[Outcome]:
        now = self._clock()
        bodies = EpisodeBodies(self._store, self._values, None if record is None else record.scope)
        outcomes = [self._episode(caller, item, place, record, now, bodies) for place, item in enumerate(items)]
        episodes = [outcome for outcome in outcomes if isinstance(outcome, Episode)]
        failures = bodies.append(episodes, now)
        if episodes and all(isinstance(failure, StoreUnavailable) for failure in failures):
            raise StoreUnavailable("no episode was written")
        failed = {episode.id: failure for episode, failure in zip(episodes, failures, strict=True)}
        return [(failed[each.id] or bodies.answered(each)) if isinstance(each, Episode) else each for each in outcomes]

    def _episode(
        self,
        caller: _Caller,
        item: Any,
        place: int,
        record: IdempotencyRecord | None,
        now: datetime,
        bodies: EpisodeBodies,
    ) -> Outcome:
        try:
            new = NewEpisode.model_validate(item)
            upload_id = new.uploaded("content")
            written_at = now if record is None else record.started_at
            episode = Episode.from_request(caller.tenant_id, new, written_at, _randomness(record, place))
            episode = episode.kept_for(caller.retention)
            self._subjects.check(StateKey(caller.tenant_id, new.agent_id, new.session_id), new.user_id)
            if upload_id is not None:
                bodies.adopt(episode, upload_id, caller.cursor_key)
        except ValidationError as exc:
            return invalid_request(exc)
        except AgentMemoryError as exc:
            return exc
        else:
            return episode


def _is_open(outcome: Outcome) -> bool:
    if isinstance(outcome, Episode):
        return outcome.body is not None
    return isinstance(outcome, StoreUnavailable | RateLimited)


def _randomness(record: IdempotencyRecord | None, place: int) -> bytes:
    """The random part of an id: the place leads, so that items of one time stay in the order of the batch."""
    if record is None:
        return place.to_bytes(2) + os.urandom(8)
    return place.to_bytes(2) + hashlib.sha256(f"{record.tenant_id}\n{record.scope}\n{place}".encode()).digest()[:8]
