"""Late vectors in memory, beside the memories that lack them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from agent_memory.domain.late_vectors import Added, Compared, Lacking, Piece, Window
from tests.fakes.memories import InMemoryMemoryStore, Kept, cosine

_WINDOW = 3
_SAMPLE = 2
_REMOVED = 2


class InMemoryLateVectors:
    """`LateVectors` over an `InMemoryMemoryStore`."""

    def __init__(self, memories: InMemoryMemoryStore) -> None:
        self._memories = memories

    def read(self, tenant_id: str, ids: Sequence[str], models: Sequence[str], now: datetime) -> Sequence[Lacking]:
        kept = {each.memory.id: each for each in self._memories._live(tenant_id, now)}
        return [_lacking(kept[one], models) for one in ids if one in kept]

    def window(
        self, tenant_id: str, models: Sequence[str], now: datetime, after: str | None, *, awaiting: bool
    ) -> Window:
        kept = sorted((k for (t, _), k in self._memories._kept.items() if t == tenant_id), key=lambda k: k.memory.id)
        looked = [k for k in kept if k.memory.id > (after or "") and (k.pending or not awaiting)][:_WINDOW]
        live = self._memories._live(tenant_id, now)
        texts = [_lacking(k, models) for k in looked if k in live]
        lacking = [t for t in texts if t.pending or any(t.has[model] < t.pieces for model in models)]
        return Window(lacking, len(looked), looked[-1].memory.id if len(looked) == _WINDOW else None)

    def add(self, tenant_id: str, text: Lacking, spans: int, pieces: Sequence[Piece], gone: Sequence[str]) -> Added:
        kept = self._memories._kept.get((tenant_id, text.id))
        if kept is None or (kept.memory.revision, _key(kept)) != (text.revision, text.content_key):
            return Added(there=False, awaits=False)
        if len(kept.spans) != spans:
            self._memories._tally.vectors += spans - len(kept.spans)
            kept.vectors = {}
            kept.spans = tuple(dict.fromkeys(piece.span for piece in pieces))
        for piece in sorted(pieces, key=lambda piece: piece.ordinal):
            had = kept.vectors.setdefault(piece.model, [])
            if piece.ordinal == len(had):
                had.append(piece.vector)
        kept.pending = tuple(
            name for name in kept.pending if name not in gone and len(kept.vectors.get(name, [])) < spans
        )
        kept.memory = replace(kept.memory, pending=bool(kept.pending))
        return Added(there=True, awaits=bool(kept.pending))

    def compare(self, tenant_id: str, old: str, new: str, now: datetime, after: str | None) -> Compared:
        live = sorted(self._memories._live(tenant_id, now), key=lambda kept: kept.memory.id)
        looked = [kept for kept in live if kept.memory.id > (after or "")][:_SAMPLE]
        asked = wanted = found = 0
        for subject in looked:
            others = [k for k in live if k is not subject and k.memory.agent_id == subject.memory.agent_id]
            by_old, by_new = (_nearest(subject, others, model) for model in (old, new))
            if by_old and subject.vectors.get(new):
                asked, wanted = asked + 1, wanted + len(by_old)
                found += len(set(by_old) & set(by_new))
        return Compared(asked, wanted, found, looked[-1].memory.id if len(looked) == _SAMPLE else None)

    def remove(self, tenant_id: str, model: str) -> int:
        having = [k for (t, _), k in self._memories._kept.items() if t == tenant_id and k.vectors.get(model)]
        removed = 0
        for kept in having[:_REMOVED]:
            removed += len(kept.vectors.pop(model))
        if len(having) <= _REMOVED:
            for (tenant, _), kept in self._memories._kept.items():
                if tenant == tenant_id:
                    kept.pending = tuple(name for name in kept.pending if name != model)
                    kept.memory = replace(kept.memory, pending=bool(kept.pending))
        return removed


def _nearest(subject: Kept, others: Sequence[Kept], model: str) -> list[str]:
    query = subject.vectors.get(model)
    if not query:
        return []
    near = [k for k in others if k.vectors.get(model)]
    near.sort(key=lambda k: (-max(cosine(each, query[0]) for each in k.vectors[model]), k.memory.id))
    return [kept.memory.id for kept in near[:10]]


def _lacking(kept: Kept, models: Sequence[str]) -> Lacking:
    has = {model: len(kept.vectors.get(model, [])) for model in models}
    whole = any(count >= len(kept.spans) for count in has.values())
    return Lacking(
        kept.memory.id,
        kept.memory.revision,
        _key(kept),
        kept.memory.content,
        len(kept.spans),
        kept.pending,
        has,
        kept.spans if whole else None,
    )


def _key(kept: Kept) -> str:
    return sha256(kept.memory.content.encode()).hexdigest()
