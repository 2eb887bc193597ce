"""What a walk over an agent's episodes asks for, apart from any store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from agent_memory.domain.episode import Episode, EpisodeType, Position
from agent_memory.domain.fields import MAX_LIMIT, Body, Count, Id, Limit, Time
from agent_memory.errors import InvalidRequest

_AFTER_EVERY_ID = "~"
_LEAST_PAGE = 25  # costs little, and steps over expired records that nothing has swept yet


class EpisodeQuery(Body):
    """Query of GET /v1/memory/episodic/{agent_id}; `metadata.<key>=<value>` arrives as `metadata`."""

    session_id: Id | None = None
    user_id: Id | None = None
    run_id: Id | None = None
    type: EpisodeType | None = None
    start: Annotated[Time | None, Field(alias="from")] = None
    end: Annotated[Time | None, Field(alias="to")] = None
    metadata: Mapping[str, str] = {}
    order: Literal["newest", "oldest"] = "newest"
    limit: Limit = 50
    cursor: str | None = None
    page: Annotated[Count, Field(ge=1)] | None = None
    per_page: Limit | None = None

    @property
    def numbered_page(self) -> tuple[int, int] | None:
        """The number and size of the page that is asked for by its number.

        Raises:
            InvalidRequest: asked for in the other way too.
        """
        given = [name for name in ("page", "per_page") if getattr(self, name) is not None]
        for other in ("cursor", "limit"):
            if given and other in self.model_fields_set:
                raise InvalidRequest.of(given[0], f"must not be given together with {other}")
        return (self.page or 1, self.per_page or self.limit) if given else None

    @property
    def page_size(self) -> int:
        """Records to read at a time: one more than asked for, or many when some will be passed over."""
        passes_over = self.type or self.metadata or self.user_id or self.run_id or self.numbered_page
        return MAX_LIMIT if passes_over else max(self.limit + 1, _LEAST_PAGE)

    def matches(self, episode: Episode, now: datetime) -> bool:
        """Every condition that the walk's index does not already guarantee."""
        metadata = episode.annotations.get("metadata", {})
        return (
            episode.is_live(now)
            and self.session_id in (None, episode.session_id)
            and self.user_id in (None, episode.user_id)
            and self.run_id in (None, episode.run_id)
            and self.type in (None, episode.type)
            and all(metadata.get(key) == value for key, value in self.metadata.items())
        )


class ReplayQuery(Body):
    """Query of GET /v1/memory/episodic/{agent_id}/sessions/{session_id}."""

    limit: Limit = MAX_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one agent's timeline, read through the most selective index.

    `start` and `end` are inclusive; `after` is the last position of the page before; `asked_at` is
    now and `walk_started_at` when the first page was asked for, so that a store can make up for an index that
    lags behind its table. A store need not yield what is of another `type`, but may.
    """

    tenant_id: str
    agent_id: str
    newest_first: bool
    walk_started_at: datetime
    asked_at: datetime
    session_id: str | None = None
    run_id: str | None = None
    user_id: str | None = None
    type: EpisodeType | None = None
    start: datetime | None = None
    end: datetime | None = None
    after: Position | None = None
    page_size: int = 100

    @property
    def bounds(self) -> tuple[Position | None, Position | None]:
        """Between which positions is still to be read, None for no bound; both belong to it, except `after`."""
        low = Position(self.start, "") if self.start else None
        high = Position(self.end, _AFTER_EVERY_ID) if self.end else None
        if self.after is None:
            return low, high
        if self.newest_first:
            return low, min(high or self.after, self.after)
        return max(low or self.after, self.after), high
