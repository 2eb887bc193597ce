"""The end of a session: what it leaves behind for good, and the job that writes that."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent_memory.domain.fact_requests import Cardinality, Metadata, NewFact, Predicate, Subject, Value
from agent_memory.domain.fields import Body, Id, JsonObject, Time, Trust, Write
from agent_memory.domain.jobs import Job
from agent_memory.domain.semantic import NewMemory, Text

SUMMARIES = "summaries"
"""The namespace of summaries: memories like others, with topics in their metadata."""

MAX_TOPICS = 32
MAX_FACTS = 100
MAX_TURNS = 10_000


class SessionFact(Body):
    """A fact that the session brought up, of the session's user and its agent; it holds since the session's end."""

    subject: Subject
    predicate: Predicate
    value: Value
    valid_from: Time | None = None
    valid_to: Time | None = None
    cardinality: Cardinality | None = None
    trust: Trust | None = None
    purposes: list[Id] | None = None
    metadata: Metadata | None = None


class Turn(Body):
    """Somebody says something."""

    role: Id
    content: Text


Topics = Annotated[list[Id], Field(max_length=MAX_TOPICS)]
Facts = Annotated[list[SessionFact], Field(max_length=MAX_FACTS)]


class SessionEnd(Write):
    """Body of POST /v1/sessions/{session_id}/end: what the session comes to, or all that was said in it.

    `timestamp` is when it ended; expiry, purposes, trust and source are those of summary and facts.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["summary"]}, {"required": ["transcript"]}]})

    agent_id: Id
    summary: Text | None = None
    topics: Topics | None = None
    facts: Facts | None = None
    transcript: Annotated[list[Turn], Field(min_length=1, max_length=MAX_TURNS)] | Text | None = None
    timestamp: Time | None = None


class Digest(Body):
    """What a model makes of a transcript; whatever else it says is no answer."""

    model_config = ConfigDict(extra="ignore")

    summary: Text
    topics: Topics = Field(default_factory=list)
    facts: Facts = Field(default_factory=list)


class JobAccepted(BaseModel):
    """Work that will be done."""

    job_id: str
    status: Literal["queued"]


class JobError(BaseModel):
    """Why a job has failed, without content."""

    code: str
    message: str


class JobResponse(BaseModel):
    """A job. `written`, once it is done, names what was written and counts what was changed."""

    job_id: str
    kind: str
    status: Literal["queued", "running", "done", "failed"]
    agent_id: str
    session_id: str | None
    user_id: str | None
    created_at: Time
    finished_at: Time | None
    attempts: int
    written: JsonObject | None
    error: JobError | None


def payload_of(new: SessionEnd, ended_at: datetime, expires_at: datetime | None) -> JsonObject:
    """What the job has to know, with times that do not depend on when it is done."""
    given: JsonObject = {name: _plain(getattr(new, name)) for name in ("summary", "topics", "facts", "transcript")}
    given |= {"metadata": new.metadata, "purposes": new.purposes, "trust": new.trust, "source": _plain(new.source)}
    given |= {"timestamp": ended_at, "expires_at": expires_at}
    return {name: value for name, value in given.items() if value is not None}


def summary_of(job: Job, payload: JsonObject) -> NewMemory:
    """The summary as a memory."""
    named = {name: payload[name] for name in ("purposes", "trust", "source", "expires_at") if name in payload}
    return NewMemory.model_validate(
        {
            "agent_id": job.agent_id,
            "user_id": job.user_id,
            "session_id": job.session_id,
            "namespace": SUMMARIES,
            "content": payload["summary"],
            "metadata": {**payload.get("metadata", {}), "topics": payload.get("topics", [])},
            "timestamp": payload["timestamp"],
            "dedupe": False,
            **named,
        }
    )


def facts_of(job: Job, payload: JsonObject) -> list[NewFact]:
    """The facts, which hold since the session's end unless they say otherwise; none of a session without a user."""
    if job.user_id is None:
        return []
    named = {name: payload[name] for name in ("purposes", "trust", "source", "expires_at") if name in payload}
    own = {"agent_id": job.agent_id, "user_id": job.user_id, "session_id": job.session_id}
    since = {"valid_from": payload["timestamp"]}
    return [NewFact.model_validate({**named, **since, **fact, **own}) for fact in payload.get("facts", [])]


def digested(payload: JsonObject, digest: Digest) -> JsonObject:
    """What is left to do once a transcript has been read: it is not kept."""
    found = {"summary": digest.summary, "topics": digest.topics, "facts": _plain(digest.facts)}
    left = {name: value for name, value in payload.items() if name != "transcript"}
    # A model concludes; and what it read may have tried to tell it what to conclude.
    return {"trust": "inference", **left, **found}


def _plain(value: object) -> object:
    """JSON of models, with what was given and nothing else."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Body):
        return {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
    return value
