"""The end of a session: what it leaves behind for good, and the job that writes that."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent_memory.domain.fact_requests import Cardinality, Metadata, NewFact, Predicate, Subject, Value
from agent_memory.domain.fields import MAX_PURPOSES, Body, Id, JsonObject, Time, Trust, Write
from agent_memory.domain.jobs import Job
from agent_memory.domain.semantic import NewMemory, Text

SUMMARIES = "summaries"
"""The namespace of summaries: memories like others, with topics in their metadata."""

MAX_TOPICS = 32
MAX_FACTS = 100
MAX_TURNS = 10_000


class FoundFact(Body):
    """What anybody may say of a fact that a session brought up, a caller or a model."""

    subject: Subject
    predicate: Predicate
    value: Value
    valid_from: Time | None = None
    valid_to: Time | None = None
    cardinality: Cardinality | None = None


class SessionFact(FoundFact):
    """A fact that the session brought up, of the session's user and its agent; it holds since the session's end."""

    trust: Trust | None = None
    purposes: Annotated[list[Id], Field(max_length=MAX_PURPOSES)] | None = None
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
    given: JsonObject = {name: as_given(getattr(new, name)) for name in ("summary", "topics", "facts", "transcript")}
    given |= {"metadata": new.metadata, "purposes": new.purposes, "trust": new.trust, "source": as_given(new.source)}
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


def as_given(value: object) -> object:
    """JSON of models, with what was given and nothing else. Null is nothing given, but for a fact's value."""
    if isinstance(value, list):
        return [as_given(each) for each in value]
    if isinstance(value, Body):
        given = {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
        return {name: each for name, each in given.items() if each is not None or name == "value"}
    return value
