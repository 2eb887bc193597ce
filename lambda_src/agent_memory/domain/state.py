"""Working memory: one versioned JSON document for each session of an agent."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from agent_memory.domain.bodies import StoredBody, shown_beside
from agent_memory.domain.fields import Body, Id, JsonObject, Time, Write
from agent_memory.domain.uploads import BodyLink, ValueWrite, either_or

DEFAULT_SESSION = "default"
# The largest integer that every JSON reader and every store holds exactly.
Version = Annotated[int, Field(ge=1, le=2**53 - 1)]


class NewState(ValueWrite):
    """Body of POST /v1/state."""

    model_config = ConfigDict(json_schema_extra=either_or("data"))

    agent_id: Id
    session_id: Id = DEFAULT_SESSION
    data: JsonObject = Field(default_factory=dict)


class StateReplacement(ValueWrite):
    """Body of PUT /v1/state/{agent_id}."""

    model_config = ConfigDict(json_schema_extra=either_or("data"))

    session_id: Id = DEFAULT_SESSION
    data: JsonObject = Field(default_factory=dict)
    version: Version


class StatePatch(Write):
    """Body of PATCH /v1/state/{agent_id}: `data` is a JSON Merge Patch (RFC 7396)."""

    session_id: Id = DEFAULT_SESSION
    data: JsonObject
    version: Version | None = None


class StateQuery(Body):
    """Query of GET /v1/state/{agent_id}."""

    session_id: Id = DEFAULT_SESSION


class StateResponse(BodyLink):
    """One session's state; a large one is null here, and lies behind the link."""

    agent_id: str
    session_id: str
    data: JsonObject | None
    version: int
    created_at: Time
    updated_at: Time
    expires_at: Time | None


class SessionsResponse(BaseModel):
    """Session ids of an agent, in the order of their keys: the one that updates cannot disturb during a walk."""

    sessions: list[str]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class StateKey:
    """Names one record."""

    tenant_id: str
    agent_id: str
    session_id: str


class Session(NamedTuple):
    """One of an agent's sessions, and when its state was last written."""

    session_id: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """One version of a record. `annotations` are the optional descriptive fields of the write.

    With a `body` the data lies in S3, and is None until it is read from there.
    """

    key: StateKey
    data: JsonObject | None
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    annotations: JsonObject
    body: StoredBody | None = None

    @property
    def value(self) -> JsonObject | None:
        """The data."""
        return self.data

    def holding(self, value: Any, body: StoredBody | None) -> "State":
        """The same with other data, or with data elsewhere."""
        return replace(self, data=value, body=body)

    def is_live(self, now: datetime) -> bool:
        """Expired is the same as absent, whether or not the store has swept it."""
        return self.expires_at is None or self.expires_at > now

    def response(self) -> JsonObject:
        """`StateResponse`, then the annotations."""
        return {
            "agent_id": self.key.agent_id,
            "session_id": self.key.session_id,
            "data": self.data,
            **shown_beside(self.data, self.body),
            "version": self.version,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "expires_at": self.expires_at,
            **self.annotations,
        }


@dataclass(frozen=True, slots=True)
class StateChange:
    """The next version of a record that the writer has not read: what is None or missing stays as it is."""

    key: StateKey
    data: JsonObject | None
    version: int
    updated_at: datetime
    expires_at: datetime | None
    annotations: JsonObject
    body: StoredBody | None = None

    @property
    def value(self) -> JsonObject | None:
        """The data."""
        return self.data

    def holding(self, value: Any, body: StoredBody | None) -> "StateChange":
        """The same with other data, or with data elsewhere."""
        return replace(self, data=value, body=body)

    def applied_to(self, current: State) -> State:
        """The record after the change."""
        return State(
            key=self.key,
            data=self.data,
            version=self.version,
            created_at=current.created_at,
            updated_at=self.updated_at,
            expires_at=self.expires_at or current.expires_at,
            annotations={**current.annotations, **self.annotations},
            body=self.body,
        )


class VersionMismatch(Exception):
    """Another version lives than the writer expected; `current` is None where nothing lives."""

    def __init__(self, current: State | None) -> None:
        super().__init__("another version is stored")
        self.current = current


def merge_patch(target: object, patch: object) -> object:
    """Apply a JSON Merge Patch, RFC 7396 section 2; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
