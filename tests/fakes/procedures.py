"""Procedures in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_memory.domain.embedding import Vector
from agent_memory.domain.idempotency import KEEP, IdempotencyRecord
from agent_memory.domain.metadata import value_key
from agent_memory.domain.procedure_match import best, fused, overlap
from agent_memory.domain.procedure_store import (
    MAX_PROCEDURES,
    Match,
    Matches,
    ProcedureAnswered,
    ProcedureDraft,
    ProcedurePosition,
    ProcedureSearch,
    Put,
    Trigger,
)
from agent_memory.domain.procedures import Procedure
from agent_memory.domain.usage import Tally
from agent_memory.errors import Conflict
from tests.fakes.memories import cosine


@dataclass
class Kept:
    """A procedure: its versions, the oldest first, and what the newest is found by."""

    versions: list[Procedure]
    triggers: tuple[Trigger, ...]
    vectors: dict[str, tuple[Vector, ...]]

    @property
    def newest(self) -> Procedure:
        return self.versions[-1]


class InMemoryProcedureStore:
    """`ProcedureStore`."""

    def __init__(self, tally: Tally | None = None) -> None:
        self._tally = tally or Tally()
        self._kept: dict[tuple[str, str, str], Kept] = {}
        self._answers: dict[tuple[str, str], tuple[IdempotencyRecord, Put | None]] = {}

    def put(self, tenant_id: str, draft: ProcedureDraft, now: datetime, answer: IdempotencyRecord | None) -> Put:
        self._replay(tenant_id, answer, now)
        put = self._put(tenant_id, draft, now)
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, put
        return put

    def put_all(self, tenant_id: str, drafts: Sequence[ProcedureDraft], now: datetime) -> list[Put]:
        before, vectors = {key: replace(kept) for key, kept in self._kept.items()}, self._tally.vectors
        try:
            return [self._put(tenant_id, draft, now) for draft in drafts]
        except Conflict:
            self._kept, self._tally.vectors = before, vectors
            raise

    def get(
        self, tenant_id: str, name: str, agent_id: str | None, version: int | None, now: datetime
    ) -> Procedure | None:
        kept = self._one(tenant_id, name, agent_id, now)
        found = kept.versions if kept else []
        return next((each for each in reversed(found) if version in (None, each.version)), None)

    def walk(
        self, tenant_id: str, agent_id: str | None, after: ProcedurePosition | None, page_size: int, now: datetime
    ) -> Iterator[tuple[ProcedurePosition, Procedure]]:
        assert page_size
        for (_, name, agent), kept in sorted(self._live(tenant_id, now).items()):
            position = ProcedurePosition(name, agent)
            hidden = agent_id is not None and kept is not self._one(tenant_id, name, agent_id, now)
            if not hidden and (after is None or position > after):
                yield position, kept.newest

    def versions(
        self, tenant_id: str, name: str, agent_id: str | None, before: int | None, page_size: int, now: datetime
    ) -> Iterator[tuple[int, Procedure]]:
        assert page_size
        kept = self._one(tenant_id, name, agent_id, now)
        for each in reversed(kept.versions if kept else []):
            if before is None or each.version < before:
                yield each.version, each

    def match(self, tenant_id: str, search: ProcedureSearch) -> Matches:
        found = []
        for (_, name, _), kept in self._live(tenant_id, search.now).items():
            purposes, user_id = kept.newest.content["purposes"], kept.newest.content["user_id"]
            if kept is not self._one(tenant_id, name, search.agent_id, search.now):
                continue
            if purposes and search.purpose not in purposes:
                continue
            if search.user_id is not None and user_id not in (None, search.user_id):
                continue
            scores = [
                fused(cosine(vector, search.vector) if vector else None, overlap(each.lexemes, search.lexemes))
                for each, vector in zip(
                    kept.triggers, kept.vectors.get(search.model, (None,) * len(kept.triggers)), strict=True
                )
            ]
            place, score = best(scores)
            found.append(Match(kept.newest, kept.triggers[place].phrase, *score))
        found.sort(key=lambda match: (-round(match.score, 6), match.procedure.name))
        return Matches([each for each in found[: search.top_k] if each.score >= search.least], partial=False)

    def delete(
        self, tenant_id: str, name: str, agent_id: str | None, now: datetime, answer: IdempotencyRecord | None
    ) -> bool:
        self._replay(tenant_id, answer, now)
        key = tenant_id, name, agent_id or ""
        if key not in self._live(tenant_id, now):
            return False
        self._remove(key)
        if answer is not None:
            self._answers[tenant_id, answer.scope] = answer, None
        return True

    def purge(self, tenant_id: str, agent_id: str) -> int:
        keys = [key for key in self._kept if (key[0], key[2]) == (tenant_id, agent_id)]
        for key in keys:
            self._remove(key)
        return len(keys)

    def _put(self, tenant_id: str, draft: ProcedureDraft, now: datetime) -> Put:
        for key in [key for key in self._kept if key[0] == tenant_id and key not in self._live(tenant_id, now)]:
            self._remove(key)
        key = tenant_id, draft.name, draft.agent_id or ""
        kept = self._kept.get(key)
        if kept is None and sum((each[0], each[2]) == (key[0], key[2]) for each in self._kept) >= MAX_PROCEDURES:
            raise Conflict("there are too many procedures already")
        before = kept.newest if kept else None
        created = before is None or value_key(before.content) != value_key(draft.content)
        version = Procedure(
            draft.name,
            draft.agent_id,
            (before.version if before else 0) + created,
            draft.content,
            before.created_at if before else now,
            (max(now, before.updated_at) if before else now) if created else before.updated_at,  # type: ignore[union-attr]
            draft.expires_at,
        )
        versions = [*(kept.versions if kept else ()), version] if created or not kept else kept.versions
        fresh = {each.model: each.vectors for each in draft.vectors}
        vectors = fresh if created or not kept else kept.vectors | fresh
        self._tally.vectors += len(draft.triggers) - (len(kept.triggers) if kept else 0)
        versions = [replace(each, expires_at=draft.expires_at) for each in versions]
        self._kept[key] = Kept(versions, draft.triggers, vectors)
        if draft.agent_id is not None:
            self._tally.stored(draft.agent_id, None)
        return Put(version, created)

    def _replay(self, tenant_id: str, answer: IdempotencyRecord | None, now: datetime) -> None:
        if answer is None:
            return
        first, put = self._answers.get((tenant_id, answer.scope), (None, None))
        if first is not None and first.started_at + KEEP > now:
            raise ProcedureAnswered(first.request_hash, put if first.request_hash == answer.request_hash else None)

    def _live(self, tenant_id: str, now: datetime) -> dict[tuple[str, str, str], Kept]:
        return {key: kept for key, kept in self._kept.items() if key[0] == tenant_id and _lives(kept.newest, now)}

    def _one(self, tenant_id: str, name: str, agent_id: str | None, now: datetime) -> Kept | None:
        live = self._live(tenant_id, now)
        return live.get((tenant_id, name, agent_id or "")) or live.get((tenant_id, name, ""))

    def _remove(self, key: tuple[str, str, str]) -> None:
        self._tally.vectors -= len(self._kept.pop(key).triggers)


def _lives(procedure: Procedure, now: datetime) -> bool:
    return procedure.expires_at is None or procedure.expires_at > now
