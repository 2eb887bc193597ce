"""When a record of the cold tier has lapsed for so long that it is removed from its object.

Nobody reads a record past its expiry. It leaves the disk days later, so that an object whose records lapse one by one
is written anew once for many of them, and so that a clock that is some hours wrong removes nothing that lives.
"""

from datetime import datetime, timedelta

from agent_memory.domain.archive import ArchivedObject
from agent_memory.domain.episode import Episode
from agent_memory.domain.identifiers import ulid_time

REWRITTEN_AFTER = timedelta(days=5)
"""How long a record has lapsed when its object is written anew: with a sweep a day it is gone within seven days."""

_CLOCK_ERROR = timedelta(days=1)


def has_lapsed(episode: Episode, retention: timedelta | None, now: datetime) -> bool:
    """Whether a record may be removed: past its own expiry, or past the tenant's retention."""
    by = now - _CLOCK_ERROR
    expires_at = episode.expires_at
    return (expires_at is not None and expires_at <= by) or _is_past(episode.created_at, retention, by)


def is_due(row: ArchivedObject, retention: timedelta | None, now: datetime) -> bool:
    """Whether an object holds a record that has lapsed for so long that the object is to be written anew.

    Of retention the row tells as much as the ids at its two ends do, which hold when they were written; records
    between them that are older, such as those with a time in the future, follow with these or with the whole object.
    """
    by = now - REWRITTEN_AFTER
    if row.first_expiry is not None and row.first_expiry <= by:
        return True
    written_at = (ulid_time(row.first.id), ulid_time(row.last.id), row.archived_at)
    return any(time is not None and _is_past(time, retention, by) for time in written_at)


def _is_past(written_at: datetime, retention: timedelta | None, by: datetime) -> bool:
    return retention is not None and by - written_at >= retention
