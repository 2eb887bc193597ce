"""What an episode of 1 KB takes in the hot tier: DynamoDB bills a write unit for each KB begun, names included."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.adapters.dynamodb_episode_item import episode_item
from agent_memory.adapters.dynamodb_item import item_bytes, number
from bench.requests import _KILOBYTE
from tests.contract.walks import an_episode

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


# Names are stored in keys and beside them: with UUIDs for all four of them it is 1.3 KB, and two write units.
@pytest.mark.parametrize("ids", ["planner", "session-2026-11-20"])
def test_marking_it_as_archived_is_one_write_unit(ids: str) -> None:
    """The mark is no key of an index, and in none of them, so the record alone is written."""
    fields = {"session_id": ids, "user_id": ids, "run_id": ids, "metadata": {"channel": "chat"}}
    episode = an_episode("acme", NOW, agent_id=ids, type="observation", content=_KILOBYTE, **fields)
    episode = replace(episode, expires_at=NOW + timedelta(days=300))

    marked = episode_item(episode, 15, timedelta(days=7)) | {"evict_at": number(1_800_000_000)}

    assert len(_KILOBYTE.encode()) >= 1024
    assert item_bytes(marked) <= 1024
