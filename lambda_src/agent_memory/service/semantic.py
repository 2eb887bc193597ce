"""Semantic memory: keep texts, find them by what they mean."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_memory.domain.cursor import seal, unseal
from agent_memory.domain.embedding import Embedders, Vector, space
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.json_document import RawJson, dumps
from agent_memory.domain.lexemes import query_lexemes
from agent_memory.domain.metadata import entries
from agent_memory.domain.semantic import MemoriesQuery, Memory, NewMemory, SearchRequest
from agent_memory.domain.semantic_store import (
    Hit,
    MemoryPosition,
    MemorySearch,
    MemoryStore,
    MemoryWalk,
    RequestAnswered,
    Stored,
)
from agent_memory.domain.state import StateKey
from agent_memory.domain.times import from_micros, to_micros
from agent_memory.errors import NotFound, RateLimited, StoreUnavailable
from agent_memory.service.drafting import Drafting, Drafts, Outline, outline
from agent_memory.service.paging import MAX_PAGE_BYTES, Page, PageBudget, fill_page
from agent_memory.service.search_check import SearchCheck
from agent_memory.service.subjects import Subjects

_ROUNDING = 5e-7  # answers round cosines to six digits, and a threshold may be one of those


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gives: written JSON, the best first; `partial` when more than a page holds was found.

    `degraded` names what could not be asked: without `vectors` a search goes by words alone.
    """

    results: list[RawJson]
    partial: bool
    degraded: tuple[str, ...] = ()


class SemanticMemory:
    """The semantic routes but for the batch."""

    def __init__(
        self,
        store: MemoryStore,
        embedders: Embedders,
        drafting: Drafting,
        subjects: Subjects,
        clock: Callable[[], datetime],
        check: SearchCheck | None = None,
    ) -> None:
        self._check = check
        self._store = store
        self._embedders = embedders
        self._drafting = drafting
        self._subjects = subjects
        self._clock = clock

    def store(self, tenant_id: str, new: NewMemory, attempt: Attempt) -> Stored:
        """Keep a text; when this returns it is durable and found, by its words alone while its vectors are pending.

        Raises:
            InvalidRequest, PayloadTooLarge: see `outline`.
            RateLimited: the tenant may not embed or keep so much.
            Conflict: the session belongs to another user.
            AlreadyAnswered: the idempotency key has been used.
        """
        now = attempt.began(self._clock())
        outlined = outline(new, now)
        check_subject(self._subjects, tenant_id, new)
        models, drafts = drafted(self._drafting, self._store, tenant_id, [outlined], now)
        try:
            (stored,) = self._store.store(tenant_id, drafts, models[0], now, attempt.record)
        except RequestAnswered as exc:
            first = exc.stored[0] if exc.stored else None
            told = (first.status, first.response()) if first else (201, None)
            raise attempt.replayed(exc.request_hash, *told) from exc
        return stored

    def search(self, tenant_id: str, asked: SearchRequest) -> Found:
        """Find what the query means and says; by words alone while its vector is not to be had.

        Raises:
            StoreUnavailable: vectors alone were asked for, or a cosine, and no vector is to be had.
        """
        model, vector = self._vector(asked)
        degraded = ("vectors",) if vector is None and asked.mode != "lexical" else ()
        if degraded:
            asked = asked.model_copy(update={"mode": "lexical"})
        search = self._sought(asked, model, vector)
        told = _within_a_page(_found(hit) for hit in self._store.search(tenant_id, search))
        if self._check is not None:
            self._check.after(tenant_id, search)
        return replace(told, degraded=degraded)

    def get(self, tenant_id: str, memory_id: str) -> Memory:
        """Read.

        Raises:
            NotFound: nothing lives there.
        """
        memory = self._store.get(tenant_id, memory_id, self._clock())
        if memory is None:
            raise _absent()
        return memory

    def walk(self, tenant_id: str, query: MemoriesQuery, cursor_key: bytes) -> tuple[Page[MemoryPosition], str | None]:
        """Read one page of all memories, the newest first: (page, next cursor)."""
        filters = query.model_dump(exclude={"limit", "cursor"})
        described = dumps(["memories", tenant_id, filters])
        after = None
        if query.cursor is not None:
            created_at, memory_id = unseal(cursor_key, described, query.cursor)
            after = MemoryPosition(from_micros(created_at), memory_id)
        walk = MemoryWalk(self._clock(), after=after, page_size=query.limit + 1, **filters)
        budget = PageBudget()
        stream = self._store.walk(tenant_id, walk)
        page = fill_page(stream, budget, query.limit, lambda _: True, lambda memory: memory.response())
        place = page.resume_after or (after if page.partial else None)
        if place is None:
            return page, None
        return page, seal(cursor_key, described, [to_micros(place.created_at), place.id])

    def history(self, tenant_id: str, memory_id: str) -> Found:
        """What a memory says and said.

        Raises:
            NotFound: nothing lives there.
        """
        told = _within_a_page(entry._asdict() for entry in self._store.history(tenant_id, memory_id, self._clock()))
        if not told.results:
            raise _absent()
        return told

    def delete(self, tenant_id: str, memory_id: str, attempt: Attempt) -> None:
        """Remove it with its history; no search finds it from now on.

        Raises:
            NotFound: nothing lives there.
            AlreadyAnswered: the idempotency key has been used.
        """
        try:
            removed = self._store.delete(tenant_id, memory_id, self._clock(), attempt.record)
        except RequestAnswered as exc:
            raise attempt.replayed(exc.request_hash, 204, None) from exc
        if not removed:
            raise _absent()

    def _vector(self, asked: SearchRequest) -> tuple[str, Vector | None]:
        """Of the query, and its model; none where none is needed, or where a search can do without."""
        try:
            embedder = self._embedders.served()
            if asked.mode == "lexical":
                return space(embedder), None
            (vector,) = embedder.embed([asked.query])
        except StoreUnavailable:
            if asked.mode == "vector" or asked.threshold is not None:
                raise
            return "", None
        return space(embedder), vector

    def _sought(self, asked: SearchRequest, model: str, vector: Vector | None) -> MemorySearch:
        return MemorySearch(
            vector=vector,
            model=model,
            top_k=asked.top_k,
            now=self._clock(),
            mode=asked.mode,
            lexemes=() if asked.mode == "vector" else query_lexemes(asked.query, self._drafting.language),
            threshold=None if asked.threshold is None else asked.threshold - _ROUNDING,
            agent_id=asked.agent_id,
            namespace=asked.namespace,
            user_id=asked.user_id,
            session_id=asked.session_id,
            start=asked.start,
            end=asked.end,
            entries=tuple(entries(asked.metadata_filter or {}, "metadata_filter")),
            as_of=asked.as_of,
            purpose=asked.purpose,
            min_trust=asked.min_trust,
            half_life_days=asked.half_life_days if asked.mode == "hybrid" else None,
            explain=asked.explain,
        )


def drafted(
    drafting: Drafting, store: MemoryStore, tenant_id: str, outlines: Sequence[Outline], now: datetime
) -> Drafts:
    """Drafts, to be stored at once: by the models that texts get vectors of now, and what they lack is seen to.

    Raises:
        PayloadTooLarge, RateLimited: see `Drafting.draft`.
    """
    while True:
        made = _drafted(drafting, store, tenant_id, outlines, now)
        drafting.queue(tenant_id, made.drafts, now)
        if drafting.is_current(made):
            return made


def _drafted(
    drafting: Drafting, store: MemoryStore, tenant_id: str, outlines: Sequence[Outline], now: datetime
) -> Drafts:
    """Where there is no room for vectors, what has expired makes some."""
    try:
        return drafting.draft(outlines)
    except RateLimited as exc:
        if exc.limit != "vectors" or not store.remove_expired(tenant_id, now):
            raise
        return drafting.draft(outlines)


def check_subject(subjects: Subjects, tenant_id: str, new: NewMemory) -> None:
    """A text of a session belongs to the session's user.

    Raises:
        Conflict: the session belongs to another user.
    """
    if new.session_id is not None:
        subjects.check(StateKey(tenant_id, new.agent_id, new.session_id), new.user_id)


def _within_a_page(records: Iterator[JsonObject]) -> Found:
    results: list[RawJson] = []
    size = 0
    for record in records:
        item = RawJson(dumps(record))
        size += len(item.encode())
        if results and size > MAX_PAGE_BYTES:
            return Found(results, partial=True)
        results.append(item)
    return Found(results, partial=False)


def _found(hit: Hit) -> JsonObject:
    passage = hit.passage and {"start": hit.passage.start, "end": hit.passage.end}
    told = hit.memory.response(hit.similarity) | {"score": round(hit.score, 6), "passage": passage}
    return told if hit.parts is None else told | {"parts": hit.parts}


def _absent() -> NotFound:
    return NotFound("no such memory")
