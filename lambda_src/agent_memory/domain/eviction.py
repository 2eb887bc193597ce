"""When an episode leaves the hot tier: by its expiry when that comes soon, else some time after it was archived.

The eviction time of an episode says which: one that follows from the expiry marks an episode that no object needs to
hold; any other one marks an archived episode, and none an episode that is still to be archived.
"""

from datetime import UTC, datetime, timedelta

from agent_memory.domain.archive import LEAST_HOT
from agent_memory.domain.episode import Episode
from agent_memory.domain.times import from_micros, to_micros

_SECOND = timedelta(seconds=1)
# A walk that read the hot tier before the mark was made is over by then.
_LEAST_NOTICE = timedelta(hours=1)
# Times end a day later; nobody is there then to miss what goes too early.
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def at_expiry(expires_at: datetime) -> datetime:
    """The eviction time that follows from an expiry: the whole second after it, so that nothing goes too early."""
    return from_micros(to_micros(min(expires_at, _LATEST)) // 1_000_000 * 1_000_000) + _SECOND


def at_write(episode: Episode, hot_window: timedelta) -> datetime | None:
    """The eviction time that an episode is written with: none, unless it expires within the hot window."""
    if episode.expires_at is None or episode.expires_at > _later(episode.created_at, hot_window):
        return None
    return at_expiry(episode.expires_at)


def once_archived(episode: Episode, hot_window: timedelta, now: datetime) -> datetime:
    """The eviction time of an episode that an object holds; never the one that follows from its expiry."""
    youngest = max(episode.created_at, episode.timestamp)
    evict_at = max(_later(youngest, max(hot_window, LEAST_HOT)), _later(now, _LEAST_NOTICE))
    return _as_archived(episode, evict_at)


def brought_back(episode: Episode, until: datetime) -> datetime:
    """The eviction time of an archived episode that is to be in the hot tier once more; nor the one of its expiry."""
    return _as_archived(episode, until)


def _as_archived(episode: Episode, evict_at: datetime) -> datetime:
    evict_at = at_expiry(evict_at)
    is_taken = episode.expires_at is not None and evict_at == at_expiry(episode.expires_at)
    return evict_at + _SECOND if is_taken else evict_at


def _later(time: datetime, by: timedelta) -> datetime:
    """A caller may give any time up to the year 9999."""
    return time + by if time < _LATEST - by else _LATEST
