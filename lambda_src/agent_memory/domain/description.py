"""The row of an object, made of what is in it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from agent_memory.domain.archive import ArchivedObject, fingerprints, name_of
from agent_memory.domain.episode import Episode
from agent_memory.domain.identifiers import to_path
from agent_memory.domain.times import format_time


def describe(episodes: Sequence[Episode], content: bytes, epoch: int, now: datetime) -> ArchivedObject:
    """Describe an object of one agent's episodes, which stand in it in the order of their positions.

    The key says which episodes are in it, and after how many purges they were read: an object that was made before
    a purge and is taken back after it is never one that was made since.
    """
    first, last = episodes[0], episodes[-1]
    name = name_of(each.id for each in episodes) + (f"-{epoch}" if epoch else "")
    day = format_time(first.timestamp)[:10]
    return ArchivedObject(
        tenant_id=first.tenant_id,
        agent_id=first.agent_id,
        key=f"{first.tenant_id}/{to_path(first.agent_id)}/{day}/{name}.jsonl.gz",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        count=len(episodes),
        first=first.position,
        last=last.position,
        sessions=fingerprints(each.session_id for each in episodes),
        users=fingerprints(each.user_id for each in episodes),
        runs=fingerprints(each.run_id for each in episodes),
        types=frozenset(each.type for each in episodes),
        bodies=frozenset(each.body.key for each in episodes if each.body),
        first_expiry=min((each.expires_at for each in episodes if each.expires_at), default=None),
        archived_at=now,
    )
