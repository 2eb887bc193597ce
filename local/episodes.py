"""Turns of a conversation as episodes of the API, and back."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from local.transcript import Turn

_MAX_ITEMS = 100
_MAX_BYTES = 1_000_000
"""Well below the API's 2.5 MB for a body."""


def batches(agent: str, turns: Iterable[Turn]) -> Iterator[list[Turn]]:
    """Cut the conversation into bodies that the API accepts."""
    batch: list[Turn] = []
    size = 0
    for turn in turns:
        item_size = len(json.dumps(item(agent, turn)))
        if batch and (len(batch) == _MAX_ITEMS or size + item_size > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(turn)
        size += item_size
    if batch:
        yield batch


def shown(episode: dict[str, Any]) -> tuple[str, str, str, str]:
    """Reduce an episode to what was said: session, time, speaker, text."""
    content = episode["content"]
    return episode["session_id"], episode["timestamp"], content["speaker"], content["text"]


def expected(turns: Iterable[Turn]) -> list[tuple[str, str, str, str]]:
    """Reduce turns in the same way."""
    return [(turn.session, turn.timestamp, turn.speaker, turn.text) for turn in turns]


def item(agent: str, turn: Turn) -> dict[str, Any]:
    """Write a turn as the API takes it."""
    return {
        "agent_id": agent,
        "session_id": turn.session,
        "type": "conversation",
        "content": {"speaker": turn.speaker, "text": turn.text},
        "metadata": {"speaker": turn.speaker},
        "timestamp": turn.timestamp,
    }
