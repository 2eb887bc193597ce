"""What an episode of 1 KB takes in the hot tier: DynamoDB bills a write unit for each KB begun, names included."""

from datetime import UTC, datetime, timedelta

from agent_memory.adapters.dynamodb_episode_item import episode_item
from agent_memory.adapters.dynamodb_item import item_bytes, number
from bench.requests import _KILOBYTE
from tests.contract.walks import an_episode

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_marking_it_as_archived_is_one_write_unit() -> None:
    """The mark is no key of an index, and in none of them, so the record alone is written.

    Ids stand in keys and beside them: with UUIDs for all four it would be 1.3 KB.
    """
    fields = {"agent_id": "planner", "session_id": "planner-2026-11-20", "user_id": "ana", "run_id": "run-17"}
    episode = an_episode("acme", NOW, type="observation", content=_KILOBYTE, **fields)

    marked = episode_item(episode, 15, timedelta(days=7)) | {"evict_at": number(1_800_000_000)}

    assert len(_KILOBYTE.encode()) >= 1024
    assert item_bytes(marked) <= 1024
