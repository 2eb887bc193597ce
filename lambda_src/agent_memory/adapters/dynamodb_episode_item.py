"""An episode as a DynamoDB item, its index keys, and the markers of late ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agent_memory.adapters.dynamodb_item import (
    Item,
    body_pointer,
    document,
    key,
    key_part,
    number,
    read_body,
    read_document,
    read_number,
    read_text,
    text,
    value_document,
)
from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.eviction import at_write
from agent_memory.domain.timeline import Span
from agent_memory.domain.times import format_time, from_micros, parse_time, to_micros

EPISODE = "EPISODE#"
# An episode whose time is further than this from now gets markers: it will not stand among what is written now.
MARKED_BEYOND = timedelta(seconds=10)
_MARKER_KEEP = timedelta(minutes=10)


def episode_key(tenant_id: str, agent_id: str, bucket: int, position: Position) -> Item:
    """Where an episode stands."""
    return {"pk": text(key(tenant_id, agent_id, str(bucket))), "sk": text(EPISODE + _time_key(position))}


def episode_item(episode: Episode, bucket: int, hot_window: timedelta) -> Item:
    """Make the item; the index keys are sparse, and so is the time of eviction (`domain/eviction.py`)."""
    item: Item = {
        **episode_key(episode.tenant_id, episode.agent_id, bucket, episode.position),
        "time_key": text(_time_key(episode.position)),
        "session_key": text(key(episode.tenant_id, episode.agent_id, episode.session_id)),
        "agent_id": text(episode.agent_id),
        "session_id": text(episode.session_id),
        "type": text(episode.type),
        "created_at": number(to_micros(episode.created_at)),
        **_content(episode),
    }
    if episode.user_id is not None:
        item["user_key"] = text(key(episode.tenant_id, episode.user_id))
    if episode.run_id is not None:
        item["run_id"] = text(episode.run_id)
        item["run_key"] = text(key(episode.tenant_id, episode.run_id))
    if episode.expires_at is not None:
        item["expires_at"] = number(to_micros(episode.expires_at))
    if evict_at := at_write(episode, hot_window):
        item["evict_at"] = number(to_micros(evict_at) // 1_000_000)
    return item


def _content(episode: Episode) -> Item:
    """With a body `body` holds the annotations alone."""
    if episode.body is not None:
        return {"body": document(episode.annotations), **body_pointer(episode.body)}
    return {"body": value_document(episode.content, episode.annotations)}


def read_episode(tenant_id: str, item: Mapping[str, Any]) -> Episode:
    """Undo `episode_item`."""
    position = position_of(item)
    body = read_document(item, "body")
    expires_at = read_number(item, "expires_at")
    return Episode(
        tenant_id=tenant_id,
        agent_id=str(read_text(item, "agent_id")),
        session_id=str(read_text(item, "session_id")),
        id=position.id,
        type=str(read_text(item, "type")),
        content=body.pop("content", None),
        timestamp=position.time,
        created_at=from_micros(read_number(item, "created_at") or 0),
        run_id=read_text(item, "run_id"),
        expires_at=None if expires_at is None else from_micros(expires_at),
        annotations=body,
        body=read_body(item),
    )


def position_of(item: Mapping[str, Any]) -> Position:
    """Read the place in the timeline out of the sort key."""
    time, _, ulid = item["sk"]["S"].removeprefix(EPISODE).partition("#")
    return Position(parse_time(time), ulid)


def time_key_bounds(span: Span) -> tuple[str, str]:
    """The inclusive range of `<time>#<ulid>` that a span still has to read."""
    low = format_time(span.start) if span.start else "0"
    high = format_time(span.end) + "#~" if span.end else ":"
    if span.after is not None:
        after = _time_key(span.after)
        # "!" sorts before and "~" after every character of a ULID: strictly past the position.
        if span.newest_first:
            high = min(high, after[:-1] + chr(ord(after[-1]) - 1) + "~")
        else:
            low = max(low, after + "!")
    return low, high


def late_markers(episode: Episode, bucket: int, now: datetime) -> list[Item]:
    """Markers, by time of writing, that lead walks to an episode which the index may not show yet."""
    if abs(episode.timestamp - now) < MARKED_BEYOND:
        return []
    indexed = {"session": episode.session_id, "run": episode.run_id, "user": episode.user_id}
    return [
        {
            "pk": text(key(episode.tenant_id, episode.agent_id, str(bucket))),
            "sk": text(f"{marker_prefix(index, value)}{format_time(now)}#{episode.id}"),
            "target": text(EPISODE + _time_key(episode.position)),
            "evict_at": number(to_micros(now + _MARKER_KEEP) // 1_000_000),
        }
        for index, value in indexed.items()
        if value is not None
    ]


def marker_prefix(index: str, value: str) -> str:
    """Sort keys of the markers of one session, run or user."""
    return f"LATE#{index}#{key_part(value)}#"


def index_of(span: Span) -> tuple[str, str, str]:
    """The most selective index of a span: (what it is by, its key attribute, the value to look for)."""
    if span.session_id:
        return "session", "session_key", key(span.tenant_id, span.agent_id, span.session_id)
    if span.run_id:
        return "run", "run_key", key(span.tenant_id, span.run_id)
    return "user", "user_key", key(span.tenant_id, str(span.user_id))


def _time_key(position: Position) -> str:
    return f"{format_time(position.time)}#{position.id}"
