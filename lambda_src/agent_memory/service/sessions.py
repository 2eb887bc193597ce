"""Ending sessions: the request is checked and kept as a job; what comes of it is read by the job's id."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from agent_memory.domain.chunking import estimate_tokens
from agent_memory.domain.fact_names import predicate_key, subject_key
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.identifiers import new_ulid
from agent_memory.domain.jobs import Job, JobStore
from agent_memory.domain.sessions import SessionEnd, Turn, facts_of, payload_of, summary_of
from agent_memory.domain.state import StateKey
from agent_memory.errors import InvalidRequest, NotFound, PayloadTooLarge
from agent_memory.service.drafting import outline
from agent_memory.service.subjects import Subjects


class Sessions:
    """The routes of sessions and of their jobs. `max_transcript_tokens` is None where no model reads transcripts."""

    def __init__(
        self, jobs: JobStore, subjects: Subjects, max_transcript_tokens: int | None, clock: Callable[[], datetime]
    ) -> None:
        self._jobs = jobs
        self._subjects = subjects
        self._max_transcript_tokens = max_transcript_tokens
        self._clock = clock

    def end(self, tenant_id: str, session_id: str, new: SessionEnd, attempt: Attempt) -> Job:
        """Keep what there is to do; when this returns, it is going to be done.

        Raises:
            InvalidRequest, PayloadTooLarge: what could not be done later, as far as that can be seen now.
            Conflict: the session belongs to another user.
            AlreadyAnswered: the idempotency key has been used.
        """
        now, session = self._clock(), StateKey(tenant_id, new.agent_id, session_id)
        self._check(new)
        job = Job(tenant_id, new_ulid(now), "session_end", new.agent_id, session_id, new.user_id, now)
        payload = payload_of(new, new.timestamp or now, new.expiry(now))
        # Of a transcript nobody has the summary yet; what is said beside it can be checked all the same.
        outline(summary_of(job, {"summary": "-", **payload}), now)
        _check_facts(job, payload)
        if new.user_id is None and new.transcript is not None:
            # What will be found in it is a user's, whom an earlier write may have named.
            job = replace(job, user_id=self._subjects.owner(session))
        self._subjects.check(session, new.user_id)
        self._jobs.put(job, payload, attempt.answered(202, accepted(job)))
        return job

    def job(self, tenant_id: str, job_id: str) -> Job:
        """Read a job.

        Raises:
            NotFound: there is none, or none any more.
        """
        job = self._jobs.get(tenant_id, job_id)
        if job is None:
            raise NotFound("no such job")
        return job

    def _check(self, new: SessionEnd) -> None:
        if (new.summary is None) == (new.transcript is None):
            raise InvalidRequest.of("summary", "must be given, or else transcript, and not both")
        if new.facts and new.user_id is None:
            raise InvalidRequest.of("user_id", "must be given together with facts, which are a user's")
        if new.transcript is None:
            return
        if self._max_transcript_tokens is None:
            raise InvalidRequest.of(
                "transcript", "is taken only where the deployment has a summarizer; give summary, topics and facts"
            )
        for name in ("topics", "facts"):
            if getattr(new, name) is not None:
                raise InvalidRequest.of(name, "must not be given together with transcript, from which it follows")
        tokens = estimate_tokens(written(new.transcript))
        if tokens > self._max_transcript_tokens:
            raise PayloadTooLarge(
                f"the transcript has {tokens} tokens by estimate; at most {self._max_transcript_tokens} are read",
                details={"tokens": tokens, "limit": self._max_transcript_tokens},
            )


def written(transcript: list[Turn] | str) -> str:
    """A transcript as a model reads it."""
    if isinstance(transcript, str):
        return transcript
    return "\n".join(f"{turn.role}: {turn.content}" for turn in transcript)


def accepted(job: Job) -> dict[str, str]:
    """`JobAccepted`."""
    return {"job_id": job.job_id, "status": "queued"}


def _check_facts(job: Job, payload: dict[str, object]) -> None:
    cardinalities: dict[tuple[str, str], str] = {}
    for place, fact in enumerate(facts_of(job, payload)):
        if fact.valid_from is not None and fact.valid_to is not None and fact.valid_to <= fact.valid_from:
            raise InvalidRequest.of(
                f"facts.{place}.valid_to", "must lie behind valid_from, which is the session's end unless it is given"
            )
        name = subject_key(fact.subject), predicate_key(fact.predicate)
        if fact.cardinality is not None and cardinalities.setdefault(name, fact.cardinality) != fact.cardinality:
            raise InvalidRequest.of(f"facts.{place}.cardinality", "must be the same for one predicate")
