"""Episodes in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from agent_memory.domain.episode import Episode, Position
from agent_memory.domain.eviction import at_write
from agent_memory.domain.idempotency import IdempotencyRecord
from agent_memory.domain.json_document import dumps
from agent_memory.domain.purge import Removed
from agent_memory.domain.scan import ScanBudget
from agent_memory.domain.timeline import Span
from agent_memory.domain.usage import Tally
from agent_memory.errors import AgentMemoryError, NoRoomInRecord, StoreUnavailable
from tests.fakes.bodies import has_room, owner_name
from tests.fakes.idempotency import InMemoryIdempotencyStore
from tests.fakes.paging import paged

HOT_WINDOW = timedelta(days=7)


class InMemoryEpisodeStore:
    """`EpisodeStore`; `dies_after` counts writes until it crashes."""

    def __init__(self, idempotency: InMemoryIdempotencyStore, tally: Tally | None = None) -> None:
        self._idempotency = idempotency
        self._tally = tally or Tally()
        self._episodes: dict[str, Episode] = {}
        self.evict_at: dict[str, datetime] = {}
        self.dies_after: int | None = None

    def owner(self, episode: Episode) -> str:
        return owner_name(episode.tenant_id, episode.agent_id, episode.id)

    def append(self, episodes: Sequence[Episode], now: datetime) -> list[AgentMemoryError | None]:  # noqa: ARG002
        fitting = [episode for episode in episodes if has_room(episode)]
        self._tally.need("dynamo_bytes", sum(map(_size, fitting)))
        return [self._add(episode) for episode in episodes]

    def append_answered(self, episode: Episode, now: datetime, answer: IdempotencyRecord) -> None:
        if not has_room(episode):
            raise NoRoomInRecord("too large")
        self._tally.need("dynamo_bytes", _size(episode))
        with self._idempotency.lock:
            self._idempotency.put(answer, now)
            self._add(episode)

    def timeline(self, span: Span, budget: ScanBudget) -> Iterator[tuple[Position, Episode | None]]:
        inside = (episode for episode in list(self._episodes.values()) if _inside(episode, span))
        for episode in paged(sorted(inside, key=lambda e: e.position, reverse=span.newest_first), budget):
            yield episode.position, episode

    def _add(self, episode: Episode) -> AgentMemoryError | None:
        if not has_room(episode):
            return NoRoomInRecord("too large")
        if self.dies_after == 0:
            return StoreUnavailable("the store is down")
        self.dies_after = None if self.dies_after is None else self.dies_after - 1
        self._episodes[episode.id] = episode
        if evict_at := at_write(episode, HOT_WINDOW):
            self.evict_at[episode.id] = evict_at
        self._tally.stored(episode.agent_id, episode.session_id, _size(episode))
        return None

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        for episode in list(self._episodes.values()):
            if (episode.tenant_id, episode.agent_id) == (tenant_id, agent_id):
                yield Removed({"episodic": 1}, dynamo_bytes=_size(self.drop(episode.id)))

    def find(self, tenant_id: str, agent_id: str, position: Position) -> Episode | None:
        found = self._episodes.get(position.id)
        is_it = found and (found.tenant_id, found.agent_id, found.position) == (tenant_id, agent_id, position)
        return found if is_it else None

    def all(self) -> list[Episode]:
        """Every tenant's, in the order of their ids."""
        return [self._episodes[ulid] for ulid in sorted(self._episodes)]

    def restore(self, episode: Episode) -> int:
        """Write it as it was; its size."""
        self._episodes[episode.id] = episode
        return _size(episode)

    def drop(self, ulid: str) -> Episode:
        self.evict_at.pop(ulid, None)
        return self._episodes.pop(ulid)


def _size(episode: Episode) -> int:
    return len(dumps(episode.response()))


def _inside(episode: Episode, span: Span) -> bool:
    after = span.after
    past = after is None or (episode.position < after if span.newest_first else episode.position > after)
    return (
        past
        and (episode.tenant_id, episode.agent_id) == (span.tenant_id, span.agent_id)
        and span.session_id in (None, episode.session_id)
        and span.run_id in (None, episode.run_id)
        and span.user_id in (None, episode.user_id)
        and (span.start is None or span.start <= episode.timestamp)
        and (span.end is None or episode.timestamp <= span.end)
    )
