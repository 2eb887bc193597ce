"""Episodic memory: append events, read them back in order."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from agent_memory.domain.bodies import bodies_of
from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.episode import Episode, NewEpisode, Position
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import dumps
from agent_memory.domain.ports import EpisodeStore
from agent_memory.domain.state import StateKey
from agent_memory.domain.timeline import EpisodeQuery, Span
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.service.large_values import LargeValues
from agent_memory.service.offset_view import OffsetPage, OffsetView
from agent_memory.service.paging import Page, PageBudget, fill_page
from agent_memory.service.subjects import Subjects


class EpisodicMemory:
    """The episodic routes but for the batch."""

    def __init__(
        self, store: EpisodeStore, subjects: Subjects, values: LargeValues, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._subjects = subjects
        self._values = values
        self._clock = clock

    def append(
        self, tenant_id: str, new: NewEpisode, attempt: Attempt, cursor_key: bytes, retention: timedelta | None = None
    ) -> Episode:
        """Write one event, to be kept no longer than the retention; when this returns it is durable.

        Raises:
            NotFound: there is no such upload.
            Conflict: the session belongs to another user, or the upload is not what was announced.
        """
        now = self._clock()
        upload_id = new.uploaded("content")
        episode = Episode.from_request(tenant_id, new, now).kept_for(retention)
        self._subjects.check(StateKey(tenant_id, new.agent_id, new.session_id), new.user_id)
        folder = folder_of(self._store, episode)
        kept = self._values.adopt(folder(), tenant_id, upload_id, cursor_key) if upload_id else None
        with self._values.placing(folder, kept) as placing:
            return placing.commit(episode, lambda written: self._append(written, now, attempt))

    def _append(self, episode: Episode, now: datetime, attempt: Attempt) -> Episode:
        answer = attempt.answered(201, episode.response(), episode.body)
        if answer is not None:
            self._store.append_answered(episode, now, answer)
        elif failure := self._store.append([episode], now)[0]:
            raise failure
        return episode

    def query(
        self, tenant_id: str, agent_id: str, query: EpisodeQuery, cursor_key: bytes
    ) -> tuple[Page[Position], str | None]:
        """Read one page of a walk: (page, next cursor)."""
        now, walk = self._clock(), _walk(tenant_id, agent_id, query)
        after, started_at = None, now
        if query.cursor is not None:
            place, started = unseal(cursor_key, walk, query.cursor)
            after, started_at = _position(place), from_micros(started)
        span, budget = _span(tenant_id, agent_id, query, now, started_at, after), PageBudget()
        stream, opener = self._store.timeline(span, budget), self._values.opener(budget)
        page = fill_page(
            stream, budget, query.limit, lambda e: query.matches(e, now), lambda e: opener.open(e).response()
        )
        if page.resume_after is None and not page.partial:
            return page, None
        return page, seal(cursor_key, walk, [_place(page.resume_after or after), to_micros(started_at)])

    def numbered_page(
        self, tenant_id: str, agent_id: str, query: EpisodeQuery, number: int, size: int, cursor_key: bytes
    ) -> tuple[OffsetPage[Position], str | None]:
        """Read a page by its number: (page, the cursor of a walk that goes on after it)."""
        now, walk, budget = self._clock(), _walk(tenant_id, agent_id, query), PageBudget()
        stream = self._store.timeline(_span(tenant_id, agent_id, query, now, now, None), budget)
        view, opener = OffsetView(stream, budget, lambda e: query.matches(e, now)), self._values.opener(budget)
        found = view.page(number, size, lambda e: opener.open(e).response())
        after = found.page.resume_after
        return found, None if after is None else seal(cursor_key, walk, [_place(after), to_micros(now)])


def _walk(tenant_id: str, agent_id: str, query: EpisodeQuery) -> str:
    """What a walk is, whatever the size of its pages and wherever it stands."""
    place = {"limit", "cursor", "page", "per_page"}
    return dumps(["episodes", tenant_id, agent_id, query.model_dump(exclude=place)])


def _span(
    tenant_id: str, agent_id: str, query: EpisodeQuery, now: datetime, started_at: datetime, after: Position | None
) -> Span:
    return Span(
        tenant_id=tenant_id,
        agent_id=agent_id,
        newest_first=query.order == "newest",
        walk_started_at=started_at,
        asked_at=now,
        session_id=query.session_id,
        run_id=query.run_id,
        user_id=query.user_id,
        type=query.type,
        start=query.start,
        end=query.end,
        after=after,
        page_size=query.page_size,
    )


def folder_of(store: EpisodeStore, episode: Episode) -> Callable[[], str]:
    """Where the episode's bodies lie."""
    return lambda: bodies_of(episode.tenant_id, episode.agent_id, "episode", store.owner(episode))


def _place(position: Position | None) -> list[Any] | None:
    """None: the budget was spent before the walk came to anything."""
    return None if position is None else [to_micros(position.time), position.id]


def _position(place: list[Any] | None) -> Position | None:
    return None if place is None else Position(from_micros(place[0]), place[1])
