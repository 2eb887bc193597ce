"""Episodic memory: append-only events of an agent, ordered by (time, id)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from agent_memory.domain.bodies import StoredBody, shown_beside
from agent_memory.domain.fields import Body, Id, JsonObject, Time
from agent_memory.domain.identifiers import new_ulid
from agent_memory.domain.uploads import BodyLink, ValueWrite, either_or

EpisodeType = Literal["conversation", "action", "observation", "tool_call"]
MAX_BATCH = 100


class NewEpisode(ValueWrite):
    """Body of POST /v1/memory/episodic, and one item of a batch."""

    model_config = ConfigDict(json_schema_extra=either_or("content"))

    agent_id: Id
    session_id: Id
    type: EpisodeType
    content: Any = None
    timestamp: Time | None = None
    run_id: Id | None = None


class EpisodeBatch(Body):
    """Body of POST /v1/memory/episodic/batch; each item is judged by itself."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


class EpisodeResponse(BodyLink):
    """One episode; large content is null here, and lies behind the link."""

    id: str
    agent_id: str
    session_id: str
    type: EpisodeType
    content: Any
    metadata: JsonObject
    timestamp: Time
    run_id: str | None
    created_at: Time
    expires_at: Time | None


class EpisodesResponse(BaseModel):
    """One page of a walk; the rest tells a page that was asked for by its number.

    `total` is None when not all could be counted within the budget of one request.
    """

    episodes: list[EpisodeResponse]
    next_cursor: str | None
    page: int | None = None
    per_page: int | None = None
    total: int | None = None


class Position(NamedTuple):
    """A place in the order of episodes."""

    time: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Episode:
    """One event. `annotations` are the optional descriptive fields of the write, `metadata` among them.

    With a `body` the content lies in S3 and `content` is None.
    """

    tenant_id: str
    agent_id: str
    session_id: str
    id: str
    type: str
    content: Any
    timestamp: datetime
    created_at: datetime
    run_id: str | None
    expires_at: datetime | None
    annotations: JsonObject
    body: StoredBody | None = None

    @classmethod
    def from_request(cls, tenant_id: str, new: NewEpisode, now: datetime, randomness: bytes | None = None) -> "Episode":
        """Give a request its id and times; the id's time is when it was written, not when it happened.

        Raises:
            InvalidRequest: an expiry that has passed.
        """
        return cls(
            tenant_id=tenant_id,
            agent_id=new.agent_id,
            session_id=new.session_id,
            id=new_ulid(now, randomness),
            type=new.type,
            content=new.content,
            timestamp=new.timestamp or now,
            created_at=now,
            run_id=new.run_id,
            expires_at=new.expiry(now),
            annotations=new.annotations(),
        )

    @property
    def position(self) -> Position:
        """Where it stands in every walk."""
        return Position(self.timestamp, self.id)

    @property
    def user_id(self) -> str | None:
        """The person it is about."""
        return self.annotations.get("user_id")

    @property
    def value(self) -> Any:
        """The content."""
        return self.content

    def kept_for(self, retention: timedelta | None) -> "Episode":
        """The same, to be kept no longer than the tenant's retention."""
        if retention is None:
            return self
        latest = self.created_at + retention
        return replace(self, expires_at=latest if self.expires_at is None else min(self.expires_at, latest))

    def holding(self, value: Any, body: StoredBody | None) -> "Episode":
        """The same with other content, or with content elsewhere."""
        return replace(self, content=value, body=body)

    def is_live(self, now: datetime) -> bool:
        """Expired is the same as absent, whether or not the store has swept it."""
        return self.expires_at is None or self.expires_at > now

    def response(self) -> JsonObject:
        """`EpisodeResponse`, then the other annotations."""
        return {
            "id": self.id,
            "agent_id": self.agent_id,
            "session_id": self.session_id,
            "type": self.type,
            "content": self.content,
            **shown_beside(self.content, self.body),
            "metadata": {},
            "timestamp": self.timestamp,
            "run_id": self.run_id,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            **self.annotations,
        }


Examined = tuple[Position, Episode | None]
"""One step of a walk; None where the index named a record that is not the walk's."""
