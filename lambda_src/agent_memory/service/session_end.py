"""What is done when a session has ended: its summary and its facts are kept, and its state goes if it has expired.

Each step may be done again, by a worker that follows one which died: a model's answer is kept before anything is made
of it, facts and summary are written once for each job, and a state that is gone is gone.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid5

from agent_memory.domain.digests import Digest, digested
from agent_memory.domain.fact_requests import NewFact
from agent_memory.domain.facts import Told
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import KEEP, LEASE, AlreadyAnswered, Attempt, IdempotencyRecord
from agent_memory.domain.jobs import Job, JobStore
from agent_memory.domain.json_document import parse
from agent_memory.domain.semantic_store import MemoryStore, RequestAnswered
from agent_memory.domain.sessions import Turn, facts_of, summary_of
from agent_memory.domain.state import StateKey
from agent_memory.errors import Conflict, InProgress, InvalidRequest, PayloadTooLarge
from agent_memory.service.drafting import Drafting, outline
from agent_memory.service.semantic import drafted
from agent_memory.service.sessions import written

# A database knows of a key for a day; whoever comes later has to look.
_REMEMBERED = KEEP - timedelta(hours=1)
_SUMMARIES = UUID("5b7a3d52-6d0f-5c3e-9a53-0d6c6f2b8e14")


class FactsWriter(Protocol):
    """Facts, of which a bundle is kept whole or not at all."""

    def put_all(
        self, tenant_id: str, items: Sequence[NewFact], attempt: Attempt, *, is_yielding: bool = False
    ) -> list[Told]:
        """Keep them; AlreadyAnswered when the attempt's record tells of an earlier one.

        `is_yielding` lets a cardinality that differs from its predicate's give way, instead of being refused.
        """


class States(Protocol):
    """States of sessions."""

    def remove_expired(self, key: StateKey, now: datetime) -> bool:
        """Remove a state, if it has expired."""


class Summarizer(Protocol):
    """A model that reads transcripts."""

    def digest(self, transcript: str) -> Digest:
        """What it comes to; StoreUnavailable when the model does not answer."""


class SessionEndWork:
    """`JobWork` of the kind `session_end`. Without a summarizer there are no transcripts."""

    def __init__(
        self,
        jobs: JobStore,
        memories: MemoryStore,
        drafting: Drafting,
        facts: FactsWriter,
        states: States,
        summarizer: Summarizer | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._memories = memories
        self._drafting = drafting
        self._facts = facts
        self._states = states
        self._summarizer = summarizer
        self._clock = clock

    def prepare(self, jobs: Sequence[tuple[Job, JsonObject]]) -> None:
        """See `JobWork.prepare`: the vectors of all summaries at the same time, from where the embedder keeps them."""
        now = self._clock()
        summaries = [summary_of(job, payload) for job, payload in jobs if "summary" in payload]
        outlines = [outline(each, now) for each in summaries if each.expires_at is None or each.expires_at > now]
        if outlines:
            self._drafting.draft(outlines)

    def run(self, job: Job, payload: JsonObject) -> JsonObject:
        """See `JobWork.run`."""
        if "transcript" in payload:
            payload = self._digested(job, payload)
        told = self._keep_facts(job, payload)
        summary_id = self._keep_summary(job, payload)
        key = StateKey(job.tenant_id, job.agent_id, job.session_id or "")
        is_removed = self._states.remove_expired(key, self._clock())
        return {"summary_id": summary_id, **told, "state_removed": is_removed}

    def _digested(self, job: Job, payload: JsonObject) -> JsonObject:
        if self._summarizer is None:
            raise Conflict("the deployment has no summarizer any more")
        transcript = payload["transcript"]
        turns = transcript if isinstance(transcript, str) else [Turn.model_validate(turn) for turn in transcript]
        payload = digested(payload, self._summarizer.digest(written(turns)))
        self._jobs.amend(job, payload)
        return payload

    def _keep_facts(self, job: Job, payload: JsonObject) -> JsonObject:
        now, facts = self._clock(), facts_of(job, payload)
        live = [fact for fact in facts if fact.expires_at is None or fact.expires_at > now]
        told = self._told(job, live, is_digest=payload.get("is_digest", False)) if live else []
        said = len(live) if told is not None else 0
        return {
            "fact_ids": [each["fact"]["id"] for each in told or ()],
            "superseded": sum(len(each["superseded"]) for each in told or ()),
            "facts_left_out": payload.get("facts_left_out", 0) + len(payload.get("facts", [])) - said,
        }

    def _told(self, job: Job, facts: Sequence[NewFact], *, is_digest: bool) -> Sequence[JsonObject] | None:
        """What became of the facts; None when they were refused, and are a model's: then the summary goes without."""
        attempt = Attempt(self._once(job, "facts"))
        try:
            told = self._facts.put_all(job.tenant_id, facts, attempt, is_yielding=is_digest)
        except AlreadyAnswered as exc:
            answer = exc.stored.answer
            return list(parse(answer.body)["facts"]) if answer and answer.body else []
        except (Conflict, InvalidRequest, PayloadTooLarge) as exc:
            if not is_digest or isinstance(exc, InProgress):
                raise
            return None
        return [each.response() for each in told]

    def _keep_summary(self, job: Job, payload: JsonObject) -> str | None:
        new, now = summary_of(job, payload), self._clock()
        if new.expires_at is not None and new.expires_at <= now:
            return None
        memory_id = str(uuid5(_SUMMARIES, f"{job.tenant_id}\n{job.job_id}"))
        if now - job.created_at > _REMEMBERED and self._memories.get(job.tenant_id, memory_id, now):
            return memory_id
        outlined = outline(new, now)._replace(memory_id=memory_id)
        models, drafts = drafted(self._drafting, self._memories, job.tenant_id, [outlined], now)
        with suppress(RequestAnswered):
            self._memories.store(job.tenant_id, drafts, models[0], now, self._once(job, "summary"))
        return memory_id

    def _once(self, job: Job, part: str) -> IdempotencyRecord:
        """By this a database knows that the part was written, in the transaction that wrote it."""
        now, scope = self._clock(), hashlib.sha256(f"job\n{job.job_id}\n{part}".encode()).hexdigest()
        return IdempotencyRecord(job.tenant_id, scope, scope, now, now + LEASE)
