"""What usage counts of an item of the memory table, read from an item that is going or gone."""

from collections.abc import Mapping
from typing import Any

from agent_memory.adapters.dynamodb_episode_item import EPISODE
from agent_memory.adapters.dynamodb_item import item_bytes, read_number
from agent_memory.adapters.dynamodb_run_item import STEP, TOOL
from agent_memory.adapters.dynamodb_state_item import SESSION
from agent_memory.domain.eviction import at_expiry
from agent_memory.domain.times import from_micros, to_micros

_COUNTED = (EPISODE, SESSION, STEP, TOOL)


def counted_bytes(item: Mapping[str, Any]) -> int:
    """What was counted when it was written, without the mark that archiving added since; 0 of what never counts."""
    if not item["sk"]["S"].startswith(_COUNTED):
        return 0
    marked = {"evict_at"} if is_archived(item) else set()
    return item_bytes({name: value for name, value in item.items() if name not in marked})


def is_archived(item: Mapping[str, Any]) -> bool:
    """Whether an object holds it: its time of eviction is not the one that follows from its expiry."""
    evict_at, expires_at = read_number(item, "evict_at"), read_number(item, "expires_at")
    if evict_at is None or not item["sk"]["S"].startswith(EPISODE):
        return False
    return expires_at is None or evict_at != to_micros(at_expiry(from_micros(expires_at))) // 1_000_000
