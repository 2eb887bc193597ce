"""Records of the memory table's stream, as Lambda hands them over."""

from collections.abc import Mapping
from typing import Any

from agent_memory.adapters.dynamodb_counted import counted_bytes, is_archived
from agent_memory.adapters.dynamodb_episode_item import EPISODE, read_episode
from agent_memory.adapters.dynamodb_item import read_text
from agent_memory.domain.archive import Key
from agent_memory.domain.changes import Arrival, Change
from agent_memory.domain.clusters import size_of

# Who removes items whose time has come; everybody else is a principal of an account.
_TIME_TO_LIVE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def read_change(record: Mapping[str, Any]) -> Change:
    """Read a record of the stream.

    Raises:
        Exception: whatever reading raises of something that no function of ours has written.
    """
    told = record["dynamodb"]
    before, after = told.get("OldImage") or {}, told.get("NewImage") or {}
    image = after or before
    by_time = not after and record.get("userIdentity") == _TIME_TO_LIVE
    tenant_id = image["pk"]["S"].partition("#")[0]
    return Change(
        place=told["SequenceNumber"],
        tenant_id=tenant_id,
        agent_id=read_text(image, "agent_id") or "",
        arrival=_arrival(tenant_id, after),
        body_before=read_text(before, "body_key"),
        body_after=read_text(after, "body_key"),
        is_evicted=by_time and is_archived(before),
        freed_bytes=counted_bytes(before) if by_time else 0,
    )


def _arrival(tenant_id: str, image: Mapping[str, Any]) -> Arrival | None:
    """An episode that was just written, unless it goes by its expiry or is in an object already."""
    if not image or not image["sk"]["S"].startswith(EPISODE) or "evict_at" in image:
        return None
    episode = read_episode(tenant_id, image)
    bucket = int(image["pk"]["S"].rpartition("#")[2])
    return Arrival(Key(bucket, episode.position), size_of(episode), episode.created_at)
