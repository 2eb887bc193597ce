"""Semantic memory in memory: exact search, and the rules of merging in Python."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from agent_memory.domain.chunking import Span
from agent_memory.domain.embedding import Vector
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.fusion import TRUST, Candidate, idf, lexical_score, rank
from agent_memory.domain.idempotency import KEEP, IdempotencyRecord
from agent_memory.domain.lexemes import Worded
from agent_memory.domain.merging import MERGE_ABOVE, Signature, says_the_same
from agent_memory.domain.semantic import Memory
from agent_memory.domain.semantic_store import (
    Draft,
    Entry,
    Hit,
    MemoryPosition,
    MemorySearch,
    MemoryWalk,
    RequestAnswered,
    Stored,
)
from agent_memory.domain.usage import Tally

_TRUST = tuple(reversed(TRUST))


@dataclass
class Kept:
    """A memory with what is kept beside it."""

    memory: Memory
    spans: tuple[Span, ...]
    vectors: dict[str, list[Vector]]
    pending: tuple[str, ...]
    signature: Signature
    entries: tuple[str, ...]
    near_id: str | None
    earlier: list[Entry]
    words: tuple[Worded, ...] = ()


class InMemoryMemoryStore:
    """`MemoryStore`."""

    def __init__(self, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._kept: dict[tuple[str, str], Kept] = {}
        self._answers: dict[tuple[str, str], tuple[IdempotencyRecord, list[Stored]]] = {}

    def store(
        self, tenant_id: str, drafts: Sequence[Draft], model: str, now: datetime, answer: IdempotencyRecord | None
    ) -> list[Stored]:
        self._replay(tenant_id, answer, now)
        self.remove_expired(tenant_id, now)
        stored = [self._store(tenant_id, draft, model, now) for draft in drafts]
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, stored
        for draft in drafts:
            self._tally.stored(draft.new.agent_id, draft.new.session_id)
        return stored

    def search(self, tenant_id: str, search: MemorySearch) -> Iterator[Hit]:
        asked = [kept for kept in self._live(tenant_id, search.now) if _is_asked(kept, search)]
        scope = [
            kept
            for (tenant, _), kept in self._kept.items()
            if tenant == tenant_id and search.agent_id in (None, kept.memory.agent_id)
        ]
        query = _weights(scope, search.lexemes)
        near = {kept.memory.id: _nearest(kept, search) for kept in asked}
        floor = search.threshold
        candidates = [
            Candidate(
                id=kept.memory.id,
                cosine=hit[0] if (hit := near[kept.memory.id]) else None,
                lexical=max(
                    (lexical_score(dict(each.lexemes), each.length, query) for each in kept.words), default=0.0
                ),
                occurred_at=kept.memory.timestamp,
                trust=kept.memory.trust,
                pinned=kept.memory.pinned,
            )
            for kept in asked
        ]
        candidates = [
            each for each in candidates if floor is None or (each.cosine is not None and each.cosine >= floor)
        ]
        for memory_id, score, parts in self._scored(tenant_id, candidates, search):
            found = near[memory_id]
            similarity, passage = found or (None, None)
            kept = self._kept[tenant_id, memory_id]
            yield Hit(kept.memory, similarity, passage, score, parts if search.explain else None)

    def _scored(
        self, tenant_id: str, candidates: Sequence[Candidate], search: MemorySearch
    ) -> list[tuple[str, float, JsonObject]]:
        if search.mode != "hybrid":
            of = [(each, each.cosine if search.mode == "vector" else round(each.lexical, 9)) for each in candidates]
            name = "cosine" if search.mode == "vector" else "lexical"
            scored = [(each.id, score, {name: score}) for each, score in of if score is not None]
            scored = [each for each in scored if each[1] or search.mode == "vector"]
            return sorted(scored, key=lambda each: (each[1], each[0]), reverse=True)[: search.top_k]
        at = search.as_of or search.now
        ranked = rank(candidates, self._sessions(tenant_id, search), at, search.half_life_days, search.top_k)
        return [(each.id, each.score, each._asdict()) for each in ranked]

    def _sessions(self, tenant_id: str, search: MemorySearch) -> list[list[str]]:
        sessions: dict[tuple[str | None, ...], list[tuple[datetime, str]]] = {}
        for kept in self._live(tenant_id, search.now):
            memory = kept.memory
            if memory.session_id is not None and (search.as_of is None or memory.timestamp <= search.as_of):
                session = sessions.setdefault((memory.agent_id, memory.namespace, memory.session_id), [])
                session.append((memory.timestamp, memory.id))
        return [[memory_id for _, memory_id in sorted(session)] for session in sessions.values()]

    def recall(self, tenant_id: str, search: MemorySearch) -> float | None:
        found = list(self.search(tenant_id, replace(search, mode="vector")))
        return 1.0 if found else None

    def get(self, tenant_id: str, memory_id: str, now: datetime) -> Memory | None:
        kept = self._one(tenant_id, memory_id, now)
        return kept.memory if kept else None

    def walk(self, tenant_id: str, walk: MemoryWalk) -> Iterator[tuple[MemoryPosition, Memory | None]]:
        memories = [kept.memory for kept in self._live(tenant_id, walk.now)]
        for memory in sorted(memories, key=_position, reverse=True):
            if (
                walk.agent_id in (None, memory.agent_id)
                and walk.namespace in (None, memory.namespace)
                and walk.user_id in (None, memory.user_id)
                and (walk.after is None or _position(memory) < walk.after)
            ):
                yield _position(memory), memory

    def history(self, tenant_id: str, memory_id: str, now: datetime) -> Iterator[Entry]:
        subject = self._one(tenant_id, memory_id, now)
        if subject is None:
            return
        yield _entry("current", subject.memory)
        yield from reversed(subject.earlier)
        for kept in sorted(self._live(tenant_id, now), key=lambda kept: _position(kept.memory)):
            if memory_id == kept.near_id or kept.memory.id == subject.near_id:
                yield _entry("apart", kept.memory)

    def delete(self, tenant_id: str, memory_id: str, now: datetime, answer: IdempotencyRecord | None) -> bool:
        self._replay(tenant_id, answer, now)
        kept = self._one(tenant_id, memory_id, now)
        if kept is None:
            return False
        self._remove(lambda key, _: key == (tenant_id, memory_id))
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, []
        return True

    def remove_expired(self, tenant_id: str, now: datetime) -> int:
        before = self._tally.vectors
        self._remove(lambda key, kept: key[0] == tenant_id and not _lives(kept, now))
        return before - self._tally.vectors

    def purge(self, tenant_id: str, agent_id: str) -> int:
        return self._remove(lambda key, kept: key[0] == tenant_id and kept.memory.agent_id == agent_id)

    def _store(self, tenant_id: str, draft: Draft, model: str, now: datetime) -> Stored:
        twin, apart = self._twin(tenant_id, draft, model, now) if draft.new.dedupe else (None, None)
        if twin is None:
            memory = _memory(draft, now)
            near_id = apart.memory.id if apart else None
            vectors = {name: list(own) for name, own in draft.vectors.items()}
            kept = Kept(
                memory, draft.spans, vectors, draft.pending, draft.signature, draft.entries, near_id, [], draft.words
            )
            self._kept[tenant_id, memory.id] = kept
            self._tally.vectors += len(kept.spans)
            return Stored(memory, deduplicated=False, apart_from=near_id)
        before = len(twin.spans)
        _merge(twin, draft, now)
        self._tally.vectors += len(twin.spans) - before
        return Stored(twin.memory, deduplicated=True)

    def _twin(self, tenant_id: str, draft: Draft, model: str, now: datetime) -> tuple[Kept | None, Kept | None]:
        new = draft.new
        scope = [
            kept
            for kept in self._live(tenant_id, now)
            if _scope(kept.memory) == (new.agent_id, new.namespace, new.user_id, frozenset(new.purposes or ()))
        ]
        for kept in scope:
            if kept.memory.content == new.content:
                return kept, None
        apart = None
        query = draft.vectors[model][0] if len(draft.spans) == 1 and model in draft.vectors else None
        near = (
            {}
            if query is None
            else {
                kept.memory.id: cosine(kept.vectors[model][0], query)
                for kept in scope
                if len(kept.spans) == 1 and kept.vectors.get(model)
            }
        )
        for kept in sorted(scope, key=lambda kept: -near.get(kept.memory.id, -1)):
            if near.get(kept.memory.id, -1) > MERGE_ABOVE:
                trusted = _TRUST.index(new.trust or "direct_user") >= _TRUST.index(kept.memory.trust)
                if trusted and says_the_same(kept.signature, draft.signature):
                    return kept, None
                apart = apart or kept
        return None, apart

    def _replay(self, tenant_id: str, answer: IdempotencyRecord | None, now: datetime) -> None:
        if answer is None:
            return
        first, stored = self._answers.get((tenant_id, answer.scope), (None, []))
        if first is not None and first.started_at + KEEP > now:
            same = first.request_hash == answer.request_hash
            raise RequestAnswered(first.request_hash, stored if same else [])

    def _live(self, tenant_id: str, now: datetime) -> list[Kept]:
        return [kept for (tenant, _), kept in self._kept.items() if tenant == tenant_id and _lives(kept, now)]

    def _one(self, tenant_id: str, memory_id: str, now: datetime) -> Kept | None:
        kept = self._kept.get((tenant_id, memory_id))
        return kept if kept and _lives(kept, now) else None

    def _remove(self, gone: Callable[[tuple[str, str], Kept], bool]) -> int:
        keys = [key for key, kept in self._kept.items() if gone(key, kept)]
        for key in keys:
            self._tally.vectors -= len(self._kept.pop(key).spans)
        for kept in self._kept.values():
            if kept.near_id in {memory_id for _, memory_id in keys}:
                kept.near_id = None
        return len(keys)


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Of two vectors of any length but zero."""
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def _merge(kept: Kept, draft: Draft, now: datetime) -> None:
    old, new = kept.memory, draft.new
    current, earlier = old, old
    if _TRUST.index(new.trust or "direct_user") >= _TRUST.index(old.trust):
        said = replace(
            old,
            content=new.content,
            metadata=old.metadata if new.metadata is None else new.metadata,
            session_id=old.session_id if len(draft.spans) > 1 else new.session_id or old.session_id,
            timestamp=new.timestamp or now,
            source=_source(draft) or old.source,
            trust=new.trust or "direct_user",
            pinned=old.pinned if new.pinned is None else new.pinned,
        )
        if said.timestamp < old.timestamp:
            earlier = replace(said, updated_at=now)
        else:
            current = said
            if new.content == old.content:
                for name, own in draft.vectors.items():
                    kept.vectors.setdefault(name, list(own))
                kept.pending = tuple(name for name in kept.pending if name not in kept.vectors)
            else:
                kept.spans, kept.pending = draft.spans, draft.pending
                kept.vectors = {name: list(own) for name, own in draft.vectors.items()}
                kept.signature, kept.words = draft.signature, draft.words
            kept.entries = kept.entries if new.metadata is None else draft.entries
    changed = (current.content, current.metadata) != (earlier.content, earlier.metadata)
    if changed:
        kept.earlier.append(_entry("earlier", replace(earlier, revision=old.revision), now))
    kept.memory = replace(
        current,
        updated_at=max(now, old.updated_at),
        expires_at=max(old.expires_at, draft.expires_at) if old.expires_at and draft.expires_at else None,
        revision=old.revision + changed,
        pending=bool(kept.pending),
    )


def _memory(draft: Draft, now: datetime) -> Memory:
    new = draft.new
    return Memory(
        id=draft.id,
        agent_id=new.agent_id,
        namespace=new.namespace,
        user_id=new.user_id,
        session_id=new.session_id,
        revision=1,
        content=new.content,
        metadata=new.metadata or {},
        purposes=tuple(new.purposes or ()),
        source=_source(draft),
        trust=new.trust or "direct_user",
        pinned=new.pinned or False,
        timestamp=new.timestamp or now,
        created_at=now,
        updated_at=now,
        expires_at=draft.expires_at,
        pending=bool(draft.pending),
    )


def _source(draft: Draft) -> JsonObject | None:
    return dict(draft.new.source) if draft.new.source else None


def _entry(kind: Any, memory: Memory, replaced_at: datetime | None = None) -> Entry:
    return Entry(
        kind,
        memory.id,
        memory.revision,
        memory.content,
        memory.metadata,
        memory.timestamp,
        memory.updated_at,
        replaced_at,
    )


def _scope(memory: Memory) -> tuple[str, str, str | None, frozenset[str]]:
    return memory.agent_id, memory.namespace, memory.user_id, frozenset(memory.purposes)


def _is_asked(kept: Kept, search: MemorySearch) -> bool:
    memory = kept.memory
    end = min((each for each in (search.end, search.as_of) if each is not None), default=None)
    return (
        search.agent_id in (None, memory.agent_id)
        and search.namespace in (None, memory.namespace)
        and search.user_id in (None, memory.user_id)
        and search.session_id in (None, memory.session_id)
        and (search.start is None or search.start <= memory.timestamp)
        and (end is None or memory.timestamp <= end)
        and set(search.entries) <= set(kept.entries)
        and (not memory.purposes or search.purpose in memory.purposes)
        and (search.min_trust is None or _TRUST.index(memory.trust) >= _TRUST.index(search.min_trust))
    )


def _weights(scope: Sequence[Kept], lexemes: Sequence[int]) -> dict[int, float]:
    pieces = [{each.number for each in piece.lexemes} for kept in scope for piece in kept.words]
    return {lexeme: idf(len(pieces), sum(lexeme in piece for piece in pieces)) for lexeme in lexemes}


def _nearest(kept: Kept, search: MemorySearch) -> tuple[float, Span] | None:
    had = kept.vectors.get(search.model)
    if search.vector is None or not had:
        return None
    vector = search.vector
    return max(
        ((cosine(each, vector), Span(*span)) for each, span in zip(had, kept.spans, strict=False)), key=itemgetter(0)
    )


def _position(memory: Memory) -> MemoryPosition:
    return MemoryPosition(memory.created_at, memory.id)


def _lives(kept: Kept, now: datetime) -> bool:
    return kept.memory.expires_at is None or kept.memory.expires_at > now
